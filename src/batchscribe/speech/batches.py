"""The queue between those who submit segments and the engines: first come, first served, in batches of one language."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from threading import Condition

from batchscribe.segment import Hearing, Segment


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A segment that waits for its hearing. Its future stays cancellable until the hearing is there."""

    number: int
    segment: Segment
    language: str
    future: Future[Hearing] = field(default_factory=Future)

    def succeed(self, hearing: Hearing) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(hearing)

    def fail(self, error: Exception) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)

    def cancel(self) -> None:
        self.future.cancel()
        self.future.set_running_or_notify_cancel()


class BatchQueue:
    """Thread-safe. A batch is what waits at that moment: nobody waits for a batch to fill."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._numbers = count()
        self._waiting: dict[str, deque[Ticket]] = {}
        self._closed = False
        self._takers = 0

    def put(self, segment: Segment, language: str) -> Ticket:
        """A closed queue cancels the ticket at once."""
        ticket = Ticket(next(self._numbers), segment, language)
        with self._changed:
            if self._closed:
                ticket.cancel()
                return ticket
            self._waiting.setdefault(language, deque()).append(ticket)
            self._changed.notify()
            return ticket

    def take(self, batch_size: int, batch_sec: float) -> list[Ticket]:
        """The ticket that has waited longest and others of its language; empty when the queue is closed."""
        with self._changed:
            while not self._closed:
                if batch := self._next_batch(batch_size, batch_sec):
                    return batch
                self._takers += 1
                self._changed.wait()
                self._takers -= 1
            return []

    def close(self) -> list[Ticket]:
        """Wake all takers; returns the tickets that nobody will take."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            left = [ticket for tickets in self._waiting.values() for ticket in tickets]
            self._waiting.clear()
            return left

    @property
    def short_of_takers(self) -> bool:
        """Whether more tickets wait than takers are there for."""
        with self._changed:
            return sum(map(len, self._waiting.values())) > self._takers

    def _drop_cancelled(self) -> None:
        """Afterwards every language has a live ticket at its head."""
        for language, tickets in list(self._waiting.items()):
            while tickets and tickets[0].future.cancelled():
                tickets.popleft().cancel()
            if not tickets:
                del self._waiting[language]

    def _next_batch(self, batch_size: int, batch_sec: float) -> list[Ticket]:
        self._drop_cancelled()
        if not self._waiting:
            return []
        language = min(self._waiting, key=lambda language: self._waiting[language][0].number)
        tickets = self._waiting[language]
        batch = [tickets.popleft()]
        room_sec = batch_sec - batch[0].segment.duration_sec
        while tickets and len(batch) < batch_size and tickets[0].segment.duration_sec <= room_sec:
            room_sec -= tickets[0].segment.duration_sec
            batch.append(tickets.popleft())
        return batch
