"""The recordings of a measurement: many short ones, or a few long ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.recordings import write_long_mp3, write_short_recordings


@dataclass(frozen=True, slots=True)
class Workload:
    """`count` recordings of `duration_sec`. A model writes `tokens` for each window, about as many as are spoken."""

    name: str
    duration_sec: float
    count: int
    tokens: int

    @property
    def audio_sec(self) -> float:
        return self.duration_sec * self.count

    def write(self, folder: Path) -> list[Path]:
        """Write short recordings as WAV, each with other speech, and long ones as MP3."""
        if self.duration_sec <= LONGEST_WAV_SEC:
            return write_short_recordings(folder, self.count, duration_sec=self.duration_sec)
        folder.mkdir(parents=True)
        names = (folder / f"{number:05}.mp3" for number in range(self.count))
        return [write_long_mp3(path, duration_sec=self.duration_sec) for path in names]


LONGEST_WAV_SEC = 60.0
WORKLOADS = (
    Workload("5 s", 5.0, 1000, tokens=20),
    Workload("60 s", 60.0, 120, tokens=100),
    Workload("1 h", 3600.0, 4, tokens=100),
)
#: To try the benchmark out without a GPU.
SMALL_WORKLOADS = (
    Workload("5 s", 5.0, 16, tokens=20),
    Workload("60 s", 60.0, 4, tokens=100),
    Workload("5 min", 300.0, 1, tokens=100),
)
