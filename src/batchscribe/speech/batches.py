"""The queue between files and engines. Files take turns, and no engine waits for a batch to fill."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import ceil
from threading import Condition

from batchscribe.cost import CostMeter, current_meter
from batchscribe.speech.engine import RecognitionRequest
from batchscribe.tracing.spans import QueuedCall, queue_call
from batchscribe.window import Recognition


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A request with the future for its recognition. The future can be canceled until it has a result."""

    request: RecognitionRequest
    file: Hashable = None
    kind: Hashable = None  #: see `EngineSpec.kind_of_request`
    future: Future[Recognition] = field(default_factory=Future)
    meter: CostMeter = field(default_factory=current_meter)  #: of the file whose thread submits the request
    queued: QueuedCall | None = field(default_factory=queue_call)

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
    one window from each file in turn: first the windows of the same kind as the one that is next, then the others. A
    file whose window was left out keeps its turn, so it waits for one batch at most.
    """

    def __init__(self, engines: int, kind_of: Callable[[RecognitionRequest], Hashable] = lambda _: None) -> None:
        self._engines = engines
        self._kind_of = kind_of
        self._changed = Condition()
        self._waiting: OrderedDict[Hashable, deque[Ticket]] = OrderedDict()  # by file, the next one first
        self._closed = False
        self._takers = 0

    def put(self, request: RecognitionRequest, file: Hashable) -> Ticket:
        """Add a request. Requests of one `file` keep their order. If the queue is closed, the ticket is canceled."""
        ticket = Ticket(request, file, self._kind_of(request))
        with self._changed:
            if self._closed:
                ticket.cancel()
                return ticket
            self._waiting.setdefault(file, deque()).append(ticket)
            self._changed.notify()
            return ticket

    def put_back(self, tickets: Sequence[Ticket]) -> None:
        """Return tickets that were taken, in their order. They are the next ones. A closed queue cancels them."""
        with self._changed:
            for ticket in reversed(tickets):
                if self._closed:
                    ticket.cancel()
                    continue
                self._waiting.setdefault(ticket.file, deque()).appendleft(ticket)
                self._waiting.move_to_end(ticket.file, last=False)
            self._changed.notify_all()

    def take(self, batch_size: int, *, is_over: Callable[[], bool] = lambda: False) -> list[Ticket]:
        """Wait for at least one ticket and return at most `batch_size`; none if the queue is closed.

        Also returns none if `is_over` is true after `wake`.
        """
        with self._changed:
            while not self._closed and not is_over():
                if batch := self._next_batch(batch_size):
                    return batch
                self._takers += 1
                self._changed.wait()
                self._takers -= 1
            return []

    def take_full(self, batch_size: int) -> list[Ticket]:
        """Return a full batch if one is waiting and no other engine is about to take it. Does not wait."""
        with self._changed:
            if self._closed or self._takers or self._share() < batch_size:
                return []
            return self._next_batch(batch_size)

    def wake(self) -> None:
        """Let all takers check whether their wait is over."""
        with self._changed:
            self._changed.notify_all()

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

    def _share(self) -> int:
        return ceil(self._count() / self._engines)

    def _next_batch(self, batch_size: int) -> list[Ticket]:
        if not self._waiting:
            return []
        share = min(batch_size, self._share())
        kind = next(iter(self._waiting.values()))[0].kind
        batch = self._take_turns(share, lambda ticket: ticket.kind == kind)
        return batch + self._take_turns(share - len(batch), lambda _: True)

    def _take_turns(self, count: int, is_wanted: Callable[[Ticket], bool]) -> list[Ticket]:
        """Take up to `count` wanted tickets, one from each file in turn. Canceled ones are removed."""
        taken: list[Ticket] = []
        is_left = True
        while is_left:
            is_left = False
            for file, tickets in list(self._waiting.items()):
                if len(taken) == count:
                    return taken
                if not is_wanted(tickets[0]):
                    continue
                is_left = True
                ticket = tickets.popleft()
                if tickets:
                    self._waiting.move_to_end(file)
                else:
                    del self._waiting[file]
                if ticket.future.cancelled():
                    ticket.cancel()
                else:
                    taken.append(ticket)
        return taken
