"""The cost of an idle process without a loaded engine, and how soon it starts a job."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import psutil
from tests.wakeups import wakeups_per_sec

from batchscribe.jobs.source import Source, SourceKind
from batchscribe.wire.choices import JobState
from benchmarks.report import Figure
from benchmarks.scale.house import House, Kind, first_line

SETTLED_SEC, MEASURED_SEC = 5.0, 30.0
JOBS = 20
PAUSE_SEC = 0.5  #: between two jobs
LOOK_SEC = 0.25  #: between two looks for tasks; the jobs are spread over it
START_MAX_SEC = 10.0
PROCESSES = {
    "serve": ("serve", "--port", "0"),
    "worker": ("worker", "--engine-processes", "2"),
    "serve --no-worker": ("serve", "--port", "0", "--no-worker"),
}


def measure(kind: Kind) -> list[Figure]:
    figures = []
    with kind.house() as house:
        for name, words in PROCESSES.items():
            figures += _measure_process(house, name, words)
    return figures


def _measure_process(house: House, name: str, words: Sequence[str]) -> list[Figure]:
    with house.process("batchscribe", *words) as process:
        assert "ready" in first_line(process)
        time.sleep(SETTLED_SEC)
        before, began_at = _cpu_sec(process.pid), time.monotonic()
        wakeups = wakeups_per_sec(process.pid, measured_sec=MEASURED_SEC)
        busy = (_cpu_sec(process.pid) - before) / (time.monotonic() - began_at)
        resident = sum(each.memory_info().rss for each in _family(process.pid))
        starts_sec = (
            [] if "--no-worker" in words else sorted(_start_sec(house, LOOK_SEC * each / JOBS) for each in range(JOBS))
        )
    figures = [
        Figure(f"idle {name}, wakeups a second", f"{wakeups:.1f}", "at most 25"),
        Figure(f"idle {name}, of a core over {MEASURED_SEC:.0f} s", f"{busy:.2%}", "at most 3 %"),
        Figure(f"idle {name}, resident memory of all its processes", f"{resident / 2**20:.0f} MiB", "under 150 MB"),
    ]
    if starts_sec:
        value = f"{statistics.median(starts_sec):.2f}, {starts_sec[-1]:.2f} s"
        figures.append(Figure(f"{name} begins a job of another process, median and longest", value, "within 0.5 s"))
    return figures


def _start_sec(house: House, shift_sec: float) -> float:
    """Return the seconds from the commit of a job by this process until the other one has started it."""
    time.sleep(PAUSE_SEC + shift_sec)
    job = house.submit(sources=(Source(SourceKind.FILE, (house.folder / "missing.wav").as_uri()),))
    return house.wait_for(lambda: house.job(job).state is not JobState.QUEUED, within_sec=START_MAX_SEC)


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _cpu_sec(pid: int) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in _family(pid))
