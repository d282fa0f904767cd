"""Peak memory of all processes for a recording of ten hours compared with one of ten minutes."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from batchscribe.wire.config import Config
from benchmarks.flow import bench
from benchmarks.processes import peak_memory
from benchmarks.recordings import write_long_recording
from benchmarks.report import Figure

SHORT_SEC, LONG_SEC = 600.0, 36_000.0
WORDS = Config(word_time_offsets=True)


def measure() -> list[Figure]:
    short, long = _peak_bytes(SHORT_SEC), _peak_bytes(LONG_SEC)
    return [
        Figure("peak resident memory, 10 minutes", f"{short / 2**20:.0f} MiB"),
        Figure("peak resident memory, 10 hours", f"{long / 2**20:.0f} MiB"),
        Figure("10 hours : 10 minutes", f"{long / short:.2f}", "at most 1.20"),
    ]


def _peak_bytes(duration_sec: float) -> int:
    """Measure with the scripted engine in separate processes: real recognition of ten hours would take three hours."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        recording = write_long_recording(folder / "long.wav", duration_sec=duration_sec)
        with bench(folder, engine_processes=2, more={"engine": "scripted"}) as flow, peak_memory() as peak:
            flow.run([recording], engine="scripted", config=WORDS)
        return peak.bytes
