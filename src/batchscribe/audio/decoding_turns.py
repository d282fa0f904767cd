"""Scheduling of open recordings when there are more than may be decoded at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from itertools import count

from batchscribe.errors import WorkInterrupted


class DecodingTurns:
    """A scheduler that lets at most `width` recordings decode at a time, each for a turn of about a second.

    The next turn goes to the tenant that has used the least time, then to its job with the least, then to the recording
    that was opened first. Time is counted while a tenant or job has recordings open. A new tenant or job starts with
    the least time of the others. Thread-safe.
    """

    def __init__(self, width: int) -> None:
        self._free = width
        self._changed = threading.Condition()
        self._open: list[DecodingTurn] = []
        self._had_sec: dict[Hashable, float] = {}
        self._numbers = count()
        self._closed = False

    @contextmanager
    def join(self, tenant: Hashable, job: Hashable) -> Iterator[DecodingTurn]:
        """Add a recording. A turn that it holds at the end is released."""
        turn = DecodingTurn(self, tenant, (tenant, job), next(self._numbers))
        with self._changed:
            self._had_sec.setdefault(turn.tenant, self._least({each.tenant for each in self._open}))
            jobs = {each.job for each in self._open if each.tenant == tenant}
            self._had_sec.setdefault(turn.job, self._least(jobs))
            self._open.append(turn)
        try:
            yield turn
        finally:
            turn.end()
            self._leave(turn)

    def close(self) -> None:
        """Stop scheduling: current and later waits raise `WorkInterrupted`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def begin(self, turn: DecodingTurn) -> None:
        with self._changed:
            turn.waits = True
            try:
                self._changed.wait_for(lambda: self._closed or (self._free and turn is self.first_in_line()))
            finally:
                turn.waits = False
            if self._closed:
                raise WorkInterrupted("The decoders were stopped.")
            self._free -= 1
            self._changed.notify_all()

    def end(self, turn: DecodingTurn, took_sec: float) -> None:
        with self._changed:
            self._free += 1
            self._had_sec[turn.tenant] += took_sec
            self._had_sec[turn.job] += took_sec
            self._changed.notify_all()

    def first_in_line(self) -> DecodingTurn:
        waiting = (each for each in self._open if each.waits)
        return min(waiting, key=lambda each: (self._had_sec[each.tenant], self._had_sec[each.job], each.number))

    def _least(self, peers: set[Hashable]) -> float:
        return min((self._had_sec[peer] for peer in peers), default=0.0)

    def _leave(self, turn: DecodingTurn) -> None:
        with self._changed:
            self._open.remove(turn)
            for name in {turn.tenant, turn.job} - {name for each in self._open for name in (each.tenant, each.job)}:
                del self._had_sec[name]


class DecodingTurn:
    """The turns of one recording, used by one thread."""

    def __init__(self, turns: DecodingTurns, tenant: Hashable, job: Hashable, number: int) -> None:
        self.tenant = tenant
        self.job = job
        self.number = number
        self.waits = False
        self._turns = turns
        self._began_at: float | None = None

    def begin(self) -> None:
        """Wait for the next turn. Raises `WorkInterrupted` if the decoders are stopped."""
        self._turns.begin(self)
        self._began_at = time.monotonic()

    def end(self) -> None:
        """End the turn, if one has begun."""
        if self._began_at is not None:
            self._turns.end(self, time.monotonic() - self._began_at)
            self._began_at = None

    @contextmanager
    def take(self) -> Iterator[None]:
        self.begin()
        try:
            yield
        finally:
            self.end()
