"""Memory and CPU time for a long recording against one of ten minutes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.long.subject import Subject
from benchmarks.report import Figure
from benchmarks.usage import KINDS, Usage, metered

SHORT_SEC = 600.0
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Cost:
    duration_sec: float
    wall_sec: float
    usage: Usage

    @property
    def name(self) -> str:
        minutes = self.duration_sec / 60
        return f"{minutes / 60:g} h" if minutes >= 60 else f"{minutes:g} min"

    def cpu_per_hour(self, *kinds: str) -> float:
        return self.usage.cpu_sec(*kinds) / (self.duration_sec / 3600)


def measure(subject: Subject) -> list[Figure]:
    short, long = (_cost(subject, sec) for sec in (SHORT_SEC, subject.hours * 3600))
    return [
        *_memory(short),
        *_memory(long),
        Figure(
            f"peak memory, {long.name} : {short.name}",
            f"{long.usage.peak_bytes / short.usage.peak_bytes:.2f}",
            "at most 1.20",
        ),
        *_cpu(short),
        *_cpu(long),
        Figure(f"audio seconds per wall second, {long.name}", f"{long.duration_sec / long.wall_sec:.0f}"),
    ]


def _cost(subject: Subject, duration_sec: float) -> Cost:
    with TemporaryDirectory() as name:
        folder = Path(name)
        recording, log = subject.write_recording(folder / "in", duration_sec), folder / "log.txt"
        command = ["-m", "batchscribe", *subject.transcribe(recording, folder / "out.json", folder / "data")]
        began_at = time.monotonic()
        with subject.started(command, log) as process, metered(process.pid) as usage:
            assert process.wait() == 0, log.read_text(errors="replace")[-2000:]
        return Cost(duration_sec, time.monotonic() - began_at, usage)


def _memory(cost: Cost) -> list[Figure]:
    of_kinds = [Figure(f"of it at most: {kind}", f"{cost.usage.peaks[kind] / MIB:.0f} MiB") for kind in KINDS]
    return [Figure(f"peak memory of all processes, {cost.name}", f"{cost.usage.peak_bytes / MIB:.0f} MiB"), *of_kinds]


def _cpu(cost: Cost) -> list[Figure]:
    of_kinds = [Figure(f"of it: {kind}", f"{cost.cpu_per_hour(kind):.1f} s") for kind in KINDS]
    return [Figure(f"CPU per hour of audio with the start, {cost.name}", f"{cost.cpu_per_hour():.1f} s"), *of_kinds]
