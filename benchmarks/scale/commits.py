"""Files per second of two workers if a file costs nothing: the maximum throughput of the flow."""

from __future__ import annotations

import time

import psutil

from benchmarks.report import Figure
from benchmarks.scale.house import Kind, canned, wait_listed

FILES = 60_000
PROCESSES = 4  #: of each process, which works on twice as many files at once
WARM_UP_SEC, MEASURED_SEC = 5.0, 15.0
GOALS = {"SQLite": 1000, "PostgreSQL": 300}


def measure(kind: Kind) -> list[Figure]:
    with canned(FILES) as bucket, kind.house(**bucket) as house:
        job = wait_listed(house)
        stub = ("sleep", "0")
        with (
            house.worker("one", *stub, engine_processes=PROCESSES) as one,
            house.worker("two", *stub, engine_processes=PROCESSES) as two,
        ):
            house.wait_for(lambda: house.job(job).summary.succeeded > 0, within_sec=60)
            time.sleep(WARM_UP_SEC)
            before, began_at, cpu_before = (
                house.job(job).summary.succeeded,
                time.monotonic(),
                _cpu_sec(one.pid, two.pid),
            )
            time.sleep(MEASURED_SEC)
            done, wall_sec = house.job(job).summary.succeeded - before, time.monotonic() - began_at
            cpu_sec = _cpu_sec(one.pid, two.pid) - cpu_before
    return [
        Figure(
            "files that cost nothing, a second, two workers", f"{done / wall_sec:.0f}", f"at least {GOALS[kind.name]}"
        ),
        Figure("CPU of the workers for one of them", f"{1000 * cpu_sec / max(1, done):.2f} ms"),
        Figure("cores that the two workers used", f"{cpu_sec / wall_sec:.2f}"),
    ]


def _cpu_sec(*pids: int) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)
