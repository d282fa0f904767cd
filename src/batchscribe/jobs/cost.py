"""What the processing of a file cost."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """What the processing of a file cost, in all its attempts.

    `compute_sec` is the time that engine processes spent on its windows, where a batch counts for each of its files in
    proportion to the sound, plus the CPU time of its decoder and speaker processes. `bytes_in` was read from storage.
    """

    compute_sec: float = 0.0
    bytes_in: int = 0


class CostMeter:
    """The cost of one file so far. Thread-safe: several engines may work on its windows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._compute_sec = 0.0
        self._bytes_in = 0

    def add_compute(self, sec: float) -> None:
        with self._lock:
            self._compute_sec += sec

    def add_bytes(self, count: int) -> None:
        with self._lock:
            self._bytes_in += count

    def take(self) -> Cost:
        """Return what was added since the last call."""
        with self._lock:
            cost = Cost(self._compute_sec, self._bytes_in)
            self._compute_sec, self._bytes_in = 0.0, 0
            return cost
