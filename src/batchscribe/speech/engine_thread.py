"""One thread of the pool, and the engine process that it feeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock, Thread

import structlog

from batchscribe.errors import EngineError, MachineTrouble
from batchscribe.metrics import ENGINE_BUSY_SECONDS, RETRIES, Retry
from batchscribe.speech.batches import BatchQueue, Ticket
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.engine_process import EngineProcess, cannot_load

log = structlog.get_logger()

#: Seconds that an engine may neither use CPU nor wait for a core before it counts as hung.
IDLE_LIMIT_SEC = 60.0
#: CPU seconds that every call may use, whatever the estimate says, which is only of the right order of magnitude.
LEAST_CPU_SEC = 600.0
#: Times that a process may die while it loads before that counts as the machine's trouble.
LOAD_ATTEMPTS = 3


class EngineThread:
    """Starts at once. Ends when the queue closes, or with a call of `give_up` when no engine can be started and loaded.

    `take_spare` gives a process that is loaded, where there is one.
    """

    def __init__(
        self,
        spec: EngineSpec,
        queue: BatchQueue,
        idle_limit_sec: float,
        *,
        take_spare: Callable[[], EngineProcess | None],
        give_up: Callable[[EngineThread, MachineTrouble], None],
    ) -> None:
        self.busy_sec = 0.0  #: wall seconds in which the engine was at work
        self._spec = spec
        self._queue = queue
        self._idle_limit_sec = idle_limit_sec
        self._take_spare = take_spare
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
        ended: MachineTrouble | None = MachineTrouble(self._fault(), part=self._spec.name)
        try:
            self._load()
            while batch := self._queue.take(self._spec.batch_size):
                self._work(batch)
            ended = None  # the queue is closed
        except MachineTrouble as error:
            ended = error
        finally:
            self._drop_process()
            if ended and not self._closing:
                self._give_up(self, ended)

    def _work(self, batch: Sequence[Ticket]) -> None:
        try:
            self._transcribe(batch)
        except EngineError:
            self._retry(batch)
        except MachineTrouble as error:
            self._return(batch, error)
            raise
        finally:
            # An unexpected error passes. Whether the batch is to blame is told by a trial, as when an engine dies.
            self._return([ticket for ticket in batch if not ticket.future.done()], EngineError(self._fault()))

    def _fault(self) -> str:
        return f"An unexpected error ended the thread of engine {self._spec.name}; its trace is on standard error."

    def _retry(self, batch: Sequence[Ticket]) -> None:
        """Each window alone, so that only the guilty one fails."""
        for position, ticket in enumerate(batch):
            RETRIES.labels(Retry.ENGINE).inc()
            try:
                self._transcribe([ticket])
            except EngineError as error:
                ticket.fail(error)
            except MachineTrouble as error:
                self._return(batch[position:], error)
                raise

    def _return(self, tickets: Sequence[Ticket], error: EngineError | MachineTrouble) -> None:
        """Nobody here will take these: the engine cannot be loaded any more, or the pool closes."""
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
            process, is_loaded = self._start()
            if not is_loaded:
                process.load()
        except EngineError as error:
            self._replace_process(error)
            if attempts == 1:
                raise cannot_load(self._spec, error.message.rstrip(".")) from error
            return self._load(attempts - 1)
        return process

    def _start(self) -> tuple[EngineProcess, bool]:
        """And whether it has its model."""
        spare = self._take_spare()
        with self._lock:
            if self._closing:
                if spare:
                    spare.end()
                raise MachineTrouble("The speech pool is closed.", part=self._spec.name)
            self._process = spare or EngineProcess(self._spec)
            return self._process, spare is not None

    def _replace_process(self, error: EngineError) -> None:
        """The next call starts another one."""
        if not self._closing:
            reason = error.reason or error.message
            log.warning("engine.replaced", engine=self._spec.name, model=self._spec.model, reason=reason)
        self._drop_process()

    def _drop_process(self) -> None:
        with self._lock:
            if self._process:
                self._process.end()
            self._process = None
