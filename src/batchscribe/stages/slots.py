"""The slots of a worker: how many files it processes at once, and which file gets the next free slot."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LOOK_EVERY_SEC = 0.5  #: interval of checks whether a file is still wanted, and the maximum age of their answers


@dataclass(eq=False, slots=True)
class _Turn:
    """One file that waits for a slot or has one."""

    tenant: str
    job_number: int
    granted: threading.Event = field(default_factory=threading.Event)

    @property
    def claimants(self) -> tuple[Hashable, Hashable]:
        return self.tenant, self.job_number


class Slots:
    """The slots of a worker. A free slot goes to the tenant with the fewest files in progress, then to its job with the
    fewest, then to the file that has waited longest. Otherwise the shards of a large job, which have more waiting files
    than there are slots, would block later jobs.

    A tenant without files in progress does not wait for a regular slot: there are another `width` slots for such
    tenants. Otherwise two recordings of a day each could block it until one of them ends.
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
    def take_one(self, tenant: str, job_number: int, check: Callable[[], None]) -> Iterator[None]:
        """Hold a slot. `check` raises if it is no longer worthwhile to wait for one."""
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
        """Wait until no slot is taken; then grant no more slots. Returns False if that takes too long."""
        with self._lock:
            is_empty = self._is_empty.wait_for(lambda: self._taken == 0, within_sec)
            self._closed = is_empty
        return is_empty

    def _give_back(self, turn: _Turn) -> None:
        with self._lock:
            if turn.granted.is_set():
                self._taken -= 1
                self._in_hand.subtract(turn.claimants)
                self._in_hand = +self._in_hand  # forgets tenants and jobs without files
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
