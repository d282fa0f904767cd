"""Tells work in progress whether it is still wanted: before each file and between segments."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from batchscribe.errors import WorkInterrupted

LOOK_EVERY_SEC = 0.5  #: how old the answer about one job may be


class Watch:
    """Remembers that the worker was told to stop, and which jobs have ended meanwhile. Thread-safe."""

    def __init__(self, job_is_live: Callable[[int], bool], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._job_is_live = job_is_live
        self._clock = clock
        self._draining = threading.Event()
        self._stopping = threading.Event()
        self._seen: dict[int, tuple[float, bool]] = {}

    def drain(self) -> None:
        """Let no new file begin."""
        self._draining.set()

    def stop(self) -> None:
        self._draining.set()
        self._stopping.set()

    @property
    def draining(self) -> bool:
        return self._draining.is_set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def __len__(self) -> int:
        """Jobs that are remembered."""
        return len(self._seen)

    def is_live(self, job_number: int) -> bool:
        """False once the job has ended or is canceled; at most half a second behind."""
        now = self._clock()
        seen = self._seen.get(job_number)
        if seen is None or now - seen[0] >= LOOK_EVERY_SEC:
            seen = now, self._job_is_live(job_number)
            recent = {job: each for job, each in self._seen.items() if now - each[0] < LOOK_EVERY_SEC}
            self._seen = {**recent, job_number: seen}
        return seen[1]

    def check(self, job_number: int) -> None:
        """Raises `WorkInterrupted` when the worker stops or the job has ended."""
        if self.stopping or not self.is_live(job_number):
            raise WorkInterrupted("The worker was stopped or the job has ended.")

    def check_start(self, job_number: int) -> None:
        """As `check`, before a new file; raises when the worker is only about to stop, too."""
        if self.draining:
            raise WorkInterrupted("The worker is about to stop.")
        self.check(job_number)

    def pause(self, seconds: float, job_number: int) -> None:
        """Sleep between two attempts. Raises as `check_start`, soon after there is reason to."""
        deadline = self._clock() + seconds
        while (left := deadline - self._clock()) > 0:
            self.check_start(job_number)
            self._stopping.wait(min(left, LOOK_EVERY_SEC))

    def wait(self, seconds: float | None) -> bool:
        """Sleep, or return True at once when told to stop."""
        return self._stopping.wait(seconds)
