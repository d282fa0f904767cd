"""How often a process wakes up. Wakeups keep a laptop from sleeping and cost CPU even without work."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

import psutil

VOLUNTARY = re.compile(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)


def wakeups_per_sec(pid: int, *, measured_sec: float) -> float:
    """Return the wakeups of all threads of the process and its children."""
    before, began_at = _waits(pid), time.monotonic()
    time.sleep(measured_sec)
    return (_waits(pid) - before).total() / (time.monotonic() - began_at)


def _waits(pid: int) -> Counter[int]:
    """Return how often each thread has gone to sleep so far. Each time, something woke it up."""
    process = psutil.Process(pid)
    waits: Counter[int] = Counter()
    for each in (process, *process.children(recursive=True)):
        for thread in each.threads():
            waits[thread.id] = _waits_of_thread(each.pid, thread.id)
    return waits


def _waits_of_thread(pid: int, thread_id: int) -> int:
    try:
        status = Path(f"/proc/{pid}/task/{thread_id}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0
    found = VOLUNTARY.search(status)
    return int(found[1]) if found else 0
