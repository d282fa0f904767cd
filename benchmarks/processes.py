"""CPU time and resident memory of this process and everything it started."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

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
    peak, over = Peak(), threading.Event()

    def sample() -> None:
        while not over.wait(SAMPLE_SEC):
            peak.bytes = max(peak.bytes, resident_bytes())

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peak
    finally:
        over.set()
        sampler.join()
