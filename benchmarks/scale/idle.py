"""What a worker costs that has nothing to do: before it has loaded an engine."""

from __future__ import annotations

import time

import psutil

from benchmarks.report import Figure
from benchmarks.scale.house import Kind

SETTLED_SEC, MEASURED_SEC = 5.0, 30.0


def measure(kind: Kind) -> list[Figure]:
    with kind.house() as house, house.worker("idle", workers=2) as worker:
        time.sleep(SETTLED_SEC)
        before = _cpu_sec(worker.pid)
        time.sleep(MEASURED_SEC)
        busy = (_cpu_sec(worker.pid) - before) / MEASURED_SEC
        resident = sum(process.memory_info().rss for process in _family(worker.pid))
        return [
            Figure(f"idle worker, of a core over {MEASURED_SEC:.0f} s", f"{busy:.1%}", "under 5 %"),
            Figure("idle worker, resident memory of all its processes", f"{resident / 2**20:.0f} MiB", "under 150 MB"),
        ]


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _cpu_sec(pid: int) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in _family(pid))
