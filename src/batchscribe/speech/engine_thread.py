"""One thread of the pool, with its engine process."""

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

#: Seconds without CPU use or waiting for a core, after which an engine counts as hanging.
IDLE_LIMIT_SEC = 60.0
#: CPU seconds that every call may use, because the estimate gives only the order of magnitude.
LEAST_CPU_SEC = 600.0
#: Attempts to load the model if the process dies. Then `MachineTrouble` is raised.
LOAD_ATTEMPTS = 3


class EngineThread:
    """A thread that starts immediately and ends when the queue closes.

    If no engine can be started and loaded, it calls `give_up` and ends. `take_spare` returns a loaded process, if any.
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
        self._spec = spec
        self._queue = queue
        self._idle_limit_sec = idle_limit_sec
        self._take_spare = take_spare
        self._give_up = give_up
        self._process: EngineProcess | None = None
        self._lock = Lock()  # between this thread, which replaces the process, and the closing thread
        self._closing = False
        self._thread = Thread(target=self._run, name=f"speech-{spec.name}", daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """Kill the process, even during a call. Close the queue first."""
        with self._lock:
            self._closing = True
            if self._process:
                self._process.kill()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        """Process batches. If the thread ends for any reason, no caller keeps waiting."""
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
            # Unexpected errors propagate. As when an engine dies, a trial shows whether the batch is the cause.
            self._return([ticket for ticket in batch if not ticket.future.done()], EngineError(self._fault()))

    def _fault(self) -> str:
        return f"An unexpected error ended the thread of engine {self._spec.name}; its trace is on standard error."

    def _retry(self, batch: Sequence[Ticket]) -> None:
        """Transcribe each window separately, so that only the faulty one fails."""
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
        """Fail the tickets, or cancel them if the pool is closing."""
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
            ENGINE_BUSY_SECONDS.labels(self._spec.name).inc(time.monotonic() - started_at)
        for ticket, recognition in zip(tickets, recognitions, strict=True):
            ticket.succeed(recognition)

    def _load(self, attempts: int = LOAD_ATTEMPTS) -> EngineProcess:
        """Start an engine and load it. Retry if the process dies or hangs, but not if it reports why it cannot load."""
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
        """Return a process and whether its model is loaded."""
        spare = self._take_spare()
        with self._lock:
            if self._closing:
                if spare:
                    spare.end()
                raise MachineTrouble("The speech pool is closed.", part=self._spec.name)
            self._process = spare or EngineProcess(self._spec)
            return self._process, spare is not None

    def _replace_process(self, error: EngineError) -> None:
        """Log the error and end the process. The next call starts another one."""
        if not self._closing:
            reason = error.reason or error.message
            log.warning("engine.replaced", engine=self._spec.name, model=self._spec.model, reason=reason)
        self._drop_process()

    def _drop_process(self) -> None:
        with self._lock:
            if self._process:
                self._process.end()
            self._process = None
