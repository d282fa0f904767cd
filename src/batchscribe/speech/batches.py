"""The queue between files and engines. Files take turns, and no engine waits for a batch to fill."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import ceil
from threading import Condition

from batchscribe.speech.engine import RecognitionRequest
from batchscribe.window import Recognition


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A request with the future for its recognition. The future can be canceled until it has a result."""

    request: RecognitionRequest
    future: Future[Recognition] = field(default_factory=Future)

    def succeed(self, recognition: Recognition) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(recognition)

    def fail(self, error: Exception) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)

    def cancel(self) -> None:
        self.future.cancel()
        self.future.set_running_or_notify_cancel()


class BatchQueue:
    """A thread-safe queue of tickets that are taken in batches.

    A batch is one engine's share of the current backlog, so that all engines finish at about the same time. It takes
    one window from each file in turn.
    """

    def __init__(self, engines: int) -> None:
        self._engines = engines
        self._changed = Condition()
        self._waiting: OrderedDict[Hashable, deque[Ticket]] = OrderedDict()  # by file, the next one first
        self._closed = False
        self._takers = 0

    def put(self, request: RecognitionRequest, file: Hashable) -> Ticket:
        """Add a request. Requests of one `file` keep their order. If the queue is closed, the ticket is canceled."""
        ticket = Ticket(request)
        with self._changed:
            if self._closed:
                ticket.cancel()
                return ticket
            self._waiting.setdefault(file, deque()).append(ticket)
            self._changed.notify()
            return ticket

    def take(self, batch_size: int) -> list[Ticket]:
        """Wait for at least one ticket and return at most `batch_size`; none if the queue is closed."""
        with self._changed:
            while not self._closed:
                if batch := self._next_batch(batch_size):
                    return batch
                self._takers += 1
                self._changed.wait()
                self._takers -= 1
            return []

    def close(self) -> list[Ticket]:
        """Close the queue, wake all takers, and return the remaining tickets."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            return self.clear()

    def clear(self) -> list[Ticket]:
        """Remove and return all waiting tickets."""
        with self._changed:
            left = [ticket for tickets in self._waiting.values() for ticket in tickets]
            self._waiting.clear()
            return left

    @property
    def backlog(self) -> int:
        """The number of waiting tickets."""
        with self._changed:
            return self._count()

    @property
    def short_of_takers(self) -> bool:
        """Whether there are more waiting tickets than waiting takers."""
        with self._changed:
            return self._count() > self._takers

    def _count(self) -> int:
        return sum(map(len, self._waiting.values()))

    def _next_batch(self, batch_size: int) -> list[Ticket]:
        batch: list[Ticket] = []
        share = min(batch_size, ceil(self._count() / self._engines))
        while self._waiting and len(batch) < share:
            file, tickets = self._waiting.popitem(last=False)
            ticket = tickets.popleft()
            if tickets:
                self._waiting[file] = tickets  # at the end
            if ticket.future.cancelled():
                ticket.cancel()
            else:
                batch.append(ticket)
        return batch
