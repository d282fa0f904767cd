"""A process that gets hardly any CPU, as on an overloaded machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Keeps one core busy, and ends by itself even if its test is killed.
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
    """Starve a process: it may use only one core, on which a busy loop runs for at most `limit_sec`.

    Yields the process of the busy loop. At the end the starved process may use every core again.
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


def _schedule(pid: int, policy: int, cores: set[int]) -> None:
    """Set the scheduling of all threads."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(PermissionError):  # back to the usual policy: only for root
            os.sched_setscheduler(int(thread.name), policy, os.sched_param(0))
        os.sched_setaffinity(int(thread.name), cores)
