"""Engines in processes of their own: windows of all files and jobs go in, recognitions come out as futures."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import Future
from threading import Lock
from types import TracebackType
from typing import Protocol, Self

from batchscribe.errors import EngineNotAvailable
from batchscribe.metrics import ENGINE_BUSY_SECONDS, ENGINE_PROCESSES
from batchscribe.speech.batches import BatchQueue
from batchscribe.speech.engine import EngineSpec, Request
from batchscribe.speech.worker import IDLE_LIMIT_SEC, Worker
from batchscribe.window import Recognition


class SpeechPool(Protocol):
    """Where windows are submitted."""

    def submit(self, request: Request, file: Hashable = None) -> Future[Recognition]:
        """The future raises `EngineNotAvailable`, or `EngineError` and its kinds. Files take turns.

        Cancelling it saves the work; when the pool closes, it is cancelled.
        """

    @property
    def has_enough(self) -> bool:
        """Whether a full batch waits for each engine, so that more windows would only take memory."""

    def close(self) -> None:
        """Cancel what is not done, and let go of all engines."""


class EnginePool:
    """Thread-safe. At most `workers` processes, each started when there is work for it, each fed by a thread.

    A window whose process dies, hangs or raises is tried once more, alone, by a fresh process; when that fails as
    well, its future raises `EngineDied`, `EngineTimeout` or `EngineError` and no other window suffers. When the
    model cannot be loaded, every future raises `EngineNotAvailable`, from then on.
    """

    def __init__(self, spec: EngineSpec, workers: int, *, idle_limit_sec: float = IDLE_LIMIT_SEC) -> None:
        self.spec = spec
        self.workers = min(workers, spec.most_processes or workers)
        self._idle_limit_sec = idle_limit_sec
        self._queue = BatchQueue(self.workers)
        self._lock = Lock()
        self._started: list[Worker] = []
        self._not_available: EngineNotAvailable | None = None
        ENGINE_BUSY_SECONDS.labels(spec.name)  # from now on it counts, from zero
        ENGINE_PROCESSES.labels(spec.name).inc(self.workers)

    def submit(self, request: Request, file: Hashable = None) -> Future[Recognition]:
        with self._lock:
            if self._not_available:
                return failed(self._not_available)
            ticket = self._queue.put(request, file)
            if len(self._started) < self.workers and self._queue.short_of_takers:
                self._started.append(Worker(self.spec, self._queue, self._idle_limit_sec, self._give_up))
            return ticket.future

    @property
    def has_enough(self) -> bool:
        return self._queue.backlog >= self.workers * self.spec.batch_size

    @property
    def busy_sec(self) -> float:
        """Wall seconds in which engines were at work, summed over the processes."""
        with self._lock:
            return sum(worker.busy_sec for worker in self._started)

    def close(self) -> None:
        ENGINE_PROCESSES.labels(self.spec.name).dec(self.workers)
        for ticket in self._queue.close():
            ticket.cancel()
        with self._lock:
            started = list(self._started)
        for worker in started:
            worker.kill()
        for worker in started:
            worker.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _give_up(self, error: EngineNotAvailable) -> None:
        with self._lock:
            self._not_available = error
            left = self._queue.close()
        for ticket in left:
            ticket.fail(error)


def failed(error: Exception) -> Future[Recognition]:
    future: Future[Recognition] = Future()
    future.set_exception(error)
    return future
