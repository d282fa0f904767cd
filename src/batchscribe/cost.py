"""What the processing of a file cost, measured where the work is done, like the stages in `metrics`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """What the processing of a file cost, in all its attempts.

    `compute_sec` is the time that engine processes spent on its windows, plus the CPU time of its decoder and speaker
    processes. The windows of a batch share its time in proportion to their length. `bytes_in` were read from storage.
    """

    compute_sec: float = 0.0
    bytes_in: int = 0


class CostMeter:
    """The cost of one file. Thread-safe: several engines may work on its windows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cost = Cost()

    def add(self, *, compute_sec: float = 0.0, bytes_in: int = 0) -> None:
        with self._lock:
            self._cost = Cost(self._cost.compute_sec + compute_sec, self._cost.bytes_in + bytes_in)

    def take(self) -> Cost:
        """Return what was added since the last call."""
        with self._lock:
            cost, self._cost = self._cost, Cost()
            return cost


_meter: ContextVar[CostMeter | None] = ContextVar("meter", default=None)


@contextmanager
def measure_cost() -> Iterator[CostMeter]:
    """Measure the cost of the file in this thread."""
    meter = CostMeter()
    before = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(before)


def current_meter() -> CostMeter:
    """Return the meter of the file in this thread; a new one if the work is for no file, such as a trial."""
    return _meter.get() or CostMeter()
