"""CPU time and resident memory of this process and everything it started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from benchmarks.sampling import sampled

SAMPLE_SEC = 0.05


def tree() -> list[psutil.Process]:
    this = psutil.Process()
    return [this, *this.children(recursive=True)]


def cpu_sec() -> float:
    """User and system time of all living processes, and of those that their parents have reaped."""
    total = 0.0
    for process in tree():
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def resident_bytes() -> int:
    """Summed over the processes; what they share counts in each."""
    total = 0
    for process in tree():
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


class Peak:
    """The most resident memory seen between two moments."""

    bytes = 0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    peak = Peak()

    def look() -> None:
        peak.bytes = max(peak.bytes, resident_bytes())

    with sampled(look, SAMPLE_SEC):
        yield peak
