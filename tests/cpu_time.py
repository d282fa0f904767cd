"""CPU time of processes and of calls.

It varies less than wall time, but by a factor of two if other programs use the same caches and cores. So limits are
multiples of `parsing_sec`, which varies alike, or leave much room; and what is limited is the least of several trials.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable

import psutil

TRIALS = 3


def cpu_sec(pid: int) -> float:
    """Return the CPU seconds of the process so far."""
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


def least_cpu_sec(call: Callable[[], object]) -> float:
    """Return the CPU seconds of the quickest of several calls in this process, without those of garbage collection."""
    return min(_cpu_sec_of(call) for _ in range(TRIALS))


def parsing_sec(content: bytes) -> float:
    """Return the CPU seconds that Python needs to parse a JSON text: a unit for the work of other code on it."""
    return least_cpu_sec(lambda: json.loads(content))


def _cpu_sec_of(call: Callable[[], object]) -> float:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        began_at = time.process_time()
        call()
        return time.process_time() - began_at
    finally:
        if was_enabled:
            gc.enable()
