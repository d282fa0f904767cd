"""A tenant with a short recording from time to time, and how long it waits for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.workload import Kind, Workload

LOOK_SEC = 0.1
PAUSE_SEC = 1.0  #: between two jobs
MOST_SEC = 300.0  #: maximum wait

#: The conditions of a measurement.
USUAL, STARVING, GREEDY, FAULTS = "the usual load", "starving storage", "a greedy tenant", "kills and troubles"


@dataclass(slots=True)
class SmallTenant:
    """A small tenant. Not thread-safe."""

    workload: Workload
    _over: threading.Event = field(default_factory=threading.Event)

    def wait_once(self, beside: str) -> None:
        """Submit a job and wait for its end. Record `waited`: how long, and under which condition."""
        job = self.workload.submit_new(Kind.SHORT)
        while not job.is_final and time.monotonic() - job.posted_at < MOST_SEC:
            time.sleep(LOOK_SEC)
            self.workload.look(job)
        self.workload.ledger.note("waited", name=job.name, beside=beside, sec=time.monotonic() - job.posted_at)

    def wait_for(self, seconds: float, beside: str) -> None:
        """Submit jobs one after another for this time."""
        deadline = time.monotonic() + seconds
        self._wait_while(lambda: time.monotonic() < deadline, beside)

    def wait_until_over(self, beside: str) -> None:
        """Submit jobs one after another until `end` is set."""
        self._wait_while(lambda: not self._over.is_set(), beside)

    def end(self) -> None:
        self._over.set()

    def _wait_while(self, is_on: Callable[[], bool], beside: str) -> None:
        while is_on():
            self.wait_once(beside)
            self._over.wait(PAUSE_SEC)
