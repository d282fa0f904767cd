"""One job on one worker with one core, and on two workers with two: files that cost CPU and nothing else."""

from __future__ import annotations

import time
from contextlib import ExitStack

from benchmarks.report import Figure
from benchmarks.scale.house import Kind, canned, cores

FILES, FILE_CPU_SEC = 1280, 0.04
DONE_MAX_SEC = 300.0


def measure(kind: Kind) -> list[Figure]:
    one, two = _job_sec(kind, cores()[:1]), _job_sec(kind, cores()[:2])
    ideal_sec = FILES * FILE_CPU_SEC
    return [
        Figure(f"{FILES} files of {FILE_CPU_SEC} s CPU on one worker with one core", f"{one:.1f} s"),
        Figure("of that, the files' own", f"{ideal_sec:.1f} s"),
        Figure("the same on two workers with a core each", f"{two:.1f} s"),
        Figure("two workers : one", f"{one / two:.2f}", "at least 1.80"),
    ]


def _job_sec(kind: Kind, on_cores: list[int]) -> float:
    """From the submission to the end, with workers that wait for it."""
    stub = ("burn", f"{FILE_CPU_SEC}")
    with canned(FILES) as bucket, kind.house(**bucket) as house, ExitStack() as workers:
        for core in on_cores:
            workers.enter_context(house.worker(f"core-{core}", *stub, engine_processes=1, core=core))
        began_at = time.monotonic()
        job = house.submit()
        house.wait_for(lambda: house.job(job).is_final, within_sec=DONE_MAX_SEC)
        assert house.job(job).summary.succeeded == FILES
        return time.monotonic() - began_at
