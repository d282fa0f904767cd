"""One thread of the pool, and the engine process that it feeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock, Thread

import structlog

from batchscribe.errors import EngineError, EngineNotAvailable
from batchscribe.metrics import ENGINE_BUSY_SECONDS, RETRIES, Retry
from batchscribe.speech.batches import BatchQueue, Ticket
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.process import EngineProcess

log = structlog.get_logger()

#: Seconds that an engine may neither use CPU nor wait for a core before it counts as hung.
IDLE_LIMIT_SEC = 60.0
#: CPU seconds that every call may use, whatever the estimate says, which is only of the right order of magnitude.
LEAST_CPU_SEC = 600.0
#: Times that a process may die while it loads before the engine counts as not available.
LOAD_ATTEMPTS = 3


class Worker:
    """Starts at once. Ends when the queue closes, or with a call of `give_up` when the engine cannot be loaded."""

    def __init__(
        self,
        spec: EngineSpec,
        queue: BatchQueue,
        idle_limit_sec: float,
        give_up: Callable[[EngineNotAvailable], None],
    ) -> None:
        self.busy_sec = 0.0  #: wall seconds in which the engine was at work
        self._spec = spec
        self._queue = queue
        self._idle_limit_sec = idle_limit_sec
        self._give_up = give_up
        self._process: EngineProcess | None = None
        self._lock = Lock()  # between this thread, which replaces the process, and the one that closes
        self._closing = False
        self._thread = Thread(target=self._run, name=f"speech-{spec.name}", daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """End the process, in the middle of a call too. Close the queue first."""
        with self._lock:
            self._closing = True
            if self._process:
                self._process.kill()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        """Whatever ends this thread, nobody waits for it."""
        ended: EngineNotAvailable | None = self._fault()
        try:
            self._load()
            while batch := self._queue.take(self._spec.batch_size):
                self._work(batch)
            ended = None  # the queue is closed
        except EngineNotAvailable as error:
            ended = error
        finally:
            self._drop_process()
            if ended and not self._closing:
                self._give_up(ended)

    def _work(self, batch: Sequence[Ticket]) -> None:
        try:
            self._transcribe(batch)
        except EngineError:
            self._retry(batch)
        except EngineNotAvailable as error:
            self._return(batch, error)
            raise
        finally:
            self._return([ticket for ticket in batch if not ticket.future.done()], self._fault())

    def _fault(self) -> EngineNotAvailable:
        return EngineNotAvailable(
            f"An unexpected error ended the thread of engine {self._spec.name}; its trace is on standard error. "
            "Start this process again."
        )

    def _retry(self, batch: Sequence[Ticket]) -> None:
        """Each window alone, so that only the guilty one fails."""
        for position, ticket in enumerate(batch):
            RETRIES.labels(Retry.ENGINE).inc()
            try:
                self._transcribe([ticket])
            except EngineError as error:
                ticket.fail(error)
            except EngineNotAvailable as error:
                self._return(batch[position:], error)
                raise

    def _return(self, tickets: Sequence[Ticket], error: EngineNotAvailable) -> None:
        """Nobody will take these: the engine cannot be loaded any more, or the pool closes."""
        for ticket in tickets:
            if self._closing:
                ticket.cancel()
            else:
                ticket.fail(error)

    def _transcribe(self, tickets: Sequence[Ticket]) -> None:
        process = self._process or self._load()
        limit_cpu_sec = max(LEAST_CPU_SEC, self._spec.limit_cpu_sec(len(tickets)))
        started_at = time.monotonic()
        try:
            recognitions = process.transcribe(
                [ticket.request for ticket in tickets], idle_sec=self._idle_limit_sec, cpu_sec=limit_cpu_sec
            )
        except EngineError as error:
            self._replace_process(error)
            raise
        finally:
            took_sec = time.monotonic() - started_at
            self.busy_sec += took_sec
            ENGINE_BUSY_SECONDS.labels(self._spec.name).inc(took_sec)
        for ticket, recognition in zip(tickets, recognitions, strict=True):
            ticket.succeed(recognition)

    def _load(self, attempts: int = LOAD_ATTEMPTS) -> EngineProcess:
        """A process that dies while it loads gets another try; one that says why it cannot load does not."""
        try:
            process = self._start()
            process.load()
        except EngineError as error:
            self._replace_process(error)
            if attempts == 1:
                raise EngineNotAvailable(f"Engine {self._spec.name} cannot load {self._spec.model}: {error}") from error
            return self._load(attempts - 1)
        return process

    def _start(self) -> EngineProcess:
        with self._lock:
            if self._closing:
                raise EngineNotAvailable("The speech pool is closed.")
            self._process = EngineProcess(self._spec)
            return self._process

    def _replace_process(self, error: EngineError) -> None:
        """The next call starts another one."""
        if not self._closing:
            log.warning("engine.replaced", engine=self._spec.name, model=self._spec.model, reason=error.message)
        self._drop_process()

    def _drop_process(self) -> None:
        with self._lock:
            if self._process:
                self._process.end()
            self._process = None
