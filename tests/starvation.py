"""A process that gets hardly any CPU, as on a machine that has far too much to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

#: Keeps one core busy, and ends by itself even when the test that started it is killed.
HOG = """
import os, sys, time
end = time.monotonic() + float(sys.argv[2])
os.sched_setaffinity(0, {int(sys.argv[1])})
print("busy", flush=True)
while time.monotonic() < end:
    pass
"""


@contextmanager
def starved(pid: int, limit_sec: float) -> Iterator[subprocess.Popen[str]]:
    """It has one core, and only when that has nothing else to do: a busy loop runs there for `limit_sec` at most.

    Yields the process of the busy loop. At the end the starved one may use every core again.
    """
    cores = os.sched_getaffinity(0)
    core = max(cores)
    line = [sys.executable, "-c", HOG, str(core), str(limit_sec)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as hog:
        try:
            assert hog.stdout is not None
            assert hog.stdout.readline() == "busy\n"
            _schedule(pid, os.SCHED_IDLE, {core})
            yield hog
        finally:
            hog.kill()
            with suppress(ProcessLookupError, FileNotFoundError):
                _schedule(pid, os.SCHED_OTHER, cores)


def cpu_sec(pid: int) -> float:
    """That the process has used so far."""
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


def _schedule(pid: int, policy: int, cores: set[int]) -> None:
    """All its threads."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(PermissionError):  # back to the usual policy: only for root
            os.sched_setscheduler(int(thread.name), policy, os.sched_param(0))
        os.sched_setaffinity(int(thread.name), cores)
