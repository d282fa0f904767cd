"""How many files a process works on at once, and who gets the next free slot."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from batchscribe.stages.job_context import LOOK_EVERY_SEC


@dataclass(eq=False, slots=True)
class _Turn:
    """One file that waits for a slot, or has it."""

    tenant: str
    job_number: int
    granted: threading.Event = field(default_factory=threading.Event)

    @property
    def claimants(self) -> tuple[Hashable, Hashable]:
        return self.tenant, self.job_number


class Slots:
    """A free slot goes to the tenant with the fewest files in hand, then to its job with the fewest, then to who waits
    longest: the shards of a large job have more files waiting than there are slots, whatever comes after them.

    A tenant that has none in hand waits for no slot: it gets one beside the `width`, of which there are as many again.
    Otherwise two recordings of a day each would keep it waiting until one of them ends.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.for_suspects = threading.Lock()
        self._lock = threading.Lock()
        self._is_empty = threading.Condition(self._lock)
        self._taken = 0
        self._most = 2 * width
        self._closed = False
        self._waiting: list[_Turn] = []
        self._in_hand: Counter[Hashable] = Counter()  # by tenant, and by the number of the job

    @contextmanager
    def taken_one(self, tenant: str, job_number: int, check: Callable[[], None]) -> Iterator[None]:
        """Hold one; `check` raises when the wait for it is no longer worth it."""
        turn = _Turn(tenant, job_number)
        with self._lock:
            self._waiting.append(turn)
            self._grant()
        try:
            while not turn.granted.wait(LOOK_EVERY_SEC):
                check()
            check()
            yield
        finally:
            self._give_back(turn)

    def wait_empty(self, within_sec: float) -> bool:
        """Wait until nobody works; the slots then stay taken. False when it took too long."""
        with self._lock:
            is_empty = self._is_empty.wait_for(lambda: self._taken == 0, within_sec)
            self._closed = is_empty
        return is_empty

    def _give_back(self, turn: _Turn) -> None:
        with self._lock:
            if turn.granted.is_set():
                self._taken -= 1
                self._in_hand.subtract(turn.claimants)
                self._in_hand = +self._in_hand  # nobody is remembered for ever
            else:
                self._waiting.remove(turn)
            self._grant()
            if self._taken == 0:
                self._is_empty.notify_all()

    def _grant(self) -> None:
        while self._waiting and not self._closed:
            turn = min(self._waiting, key=lambda each: [self._in_hand[claimant] for claimant in each.claimants])
            if self._taken >= (self.width if self._in_hand[turn.tenant] else self._most):
                return
            self._waiting.remove(turn)
            self._taken += 1
            self._in_hand.update(turn.claimants)
            turn.granted.set()
