"""One thread of the pool, with its engine process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Lock, Thread

import structlog

from batchscribe.children.watchdog import ChildNotWanted, always
from batchscribe.errors import EngineError, MachineTrouble
from batchscribe.metrics import ENGINE_BUSY_SECONDS, RETRIES, Retry
from batchscribe.speech.batches import BatchQueue, Ticket
from batchscribe.speech.engine import EngineSpec, RecognitionRequest
from batchscribe.speech.engine_process import EngineProcess, cannot_load
from batchscribe.speech.trial import EngineTrial
from batchscribe.tracing.spans import record_call

log = structlog.get_logger()

#: Seconds without CPU use or waiting for a core, after which an engine counts as hanging.
IDLE_LIMIT_SEC = 60.0
#: CPU seconds that every call may use, because the estimate gives only the order of magnitude.
LEAST_CPU_SEC = 600.0
#: Attempts to load the model if the process dies. Then `MachineTrouble` is raised.
LOAD_ATTEMPTS = 3


class EngineThread:
    """A thread that starts immediately and ends when the queue closes.

    It calls `loaded` once its engine is loaded. If none can be started and loaded, it calls `give_up` with the windows
    that it has taken, and ends. `take_spare` returns a loaded process, if any. With `on_trial`, the engine must pass
    `trial` before it gets windows.

    A batch on a CPU whose windows are all canceled is abandoned once it has taken longer than loading the model: its
    process ends, and the next batch starts another.

    If the engine reads ahead, the thread takes the next batch early. If the process fails, only the current batch is
    retried window by window: the next one, on which the engine had not worked, is sent again as it is.
    """

    def __init__(
        self,
        spec: EngineSpec,
        queue: BatchQueue,
        idle_limit_sec: float,
        *,
        take_spare: Callable[[], EngineProcess | None],
        loaded: Callable[[], None],
        give_up: Callable[[EngineThread, MachineTrouble, Sequence[Ticket]], None],
        trial: EngineTrial,
        on_trial: bool = False,
    ) -> None:
        self.device = spec.device
        self._spec = spec
        self._queue = queue
        self._idle_limit_sec = idle_limit_sec
        self._take_spare = take_spare
        self._loaded = loaded
        self._give_up = give_up
        self._trial = trial
        self._on_trial = on_trial
        self._asked: Future[None] | None = None  #: for a trial
        # A canceled batch ends with its process. On a CPU it may take minutes, and loading the model takes seconds. On
        # a GPU it is the other way round. The batch gets as much time as loading took, because it may be nearly done.
        self._may_abandon = not spec.is_on_gpu
        self._process: EngineProcess | None = None
        self._batch: Sequence[Ticket] = ()
        self._next: Sequence[Ticket] = ()  #: taken early
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

    def try_out(self) -> Future[None]:
        """Ask for a trial after the current batch. Wake the queue afterwards. Ask for one at a time.

        If the engine fails it, the thread gives up, and the future raises the `MachineTrouble`. It is canceled if the
        pool closes.
        """
        asked = self._asked = Future[None]()
        return asked

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        """Process batches. If the thread ends for any reason, no caller keeps waiting."""
        unexpected = MachineTrouble(self._fault(), part=self._spec.name)
        ended: MachineTrouble | None = unexpected
        try:
            self._load()
            self._loaded()
            while self._take():
                self._work()
            ended = None  # the queue is closed
        except MachineTrouble as error:
            ended = error
        finally:
            self._drop_process()
            if ended is unexpected:  # as when an engine dies, a trial shows whether the batch is the cause
                self._end_all(self._batch, EngineError(self._fault()))
            self._return_windows(ended)
            self._end_trial(ended)

    def _return_windows(self, ended: MachineTrouble | None) -> None:
        """Return the windows that are not done to the pool, or cancel them if the pool is closing."""
        left = [ticket for ticket in (*self._batch, *self._next) if not ticket.future.done()]
        if ended and not self._closing:
            self._give_up(self, ended, left)
        for ticket in left if self._closing else ():
            ticket.cancel()

    def _end_trial(self, ended: MachineTrouble | None) -> None:
        """End a trial that was asked for and not run."""
        if self._asked and ended and not self._closing:
            self._asked.set_exception(ended)
        elif self._asked:
            self._asked.cancel()

    def _take(self) -> bool:
        """Make the next batch the current one. Runs the trial first. Returns False if the queue is closed."""
        self._batch, self._next = self._next, ()
        while not self._batch:
            self._run_trial()
            self._batch = self._queue.take(self._spec.batch_size, is_over=lambda: self._asked is not None)
            if not self._batch and self._asked is None:
                return False
        return True

    def _run_trial(self) -> None:
        """Run the trial if asked to. If the process fails it, a new one repeats it. Raises `MachineTrouble`."""
        if self._asked is None:
            return
        if not (self._process and self._passes_trial(self._process)):
            self._on_trial = True
            self._load()
        self._loaded()
        asked, self._asked = self._asked, None
        asked.set_result(None)

    def _passes_trial(self, process: EngineProcess) -> bool:
        try:
            self._trial.run(process, self._spec)
        except EngineError as error:
            self._replace_process(error)
            return False
        return True

    def _take_early(self) -> Sequence[RecognitionRequest]:
        if self._asked is None:
            self._next = self._queue.take_full(self._spec.batch_size)
        return [ticket.request for ticket in self._next]

    def _work(self) -> None:
        try:
            self._transcribe(self._batch, next_batch=self._take_early if self._spec.reads_ahead else None)
        except EngineError:
            self._retry(self._batch)

    def _fault(self) -> str:
        return f"An unexpected error ended the thread of engine {self._spec.name}; its trace is on standard error."

    def _retry(self, batch: Sequence[Ticket]) -> None:
        """Transcribe each window separately, so that only the faulty one fails. Runs the trial between two windows."""
        for ticket in batch:
            self._run_trial()
            if ticket.future.cancelled():
                ticket.cancel()
                continue
            RETRIES.labels(Retry.ENGINE).inc()
            try:
                self._transcribe([ticket])
            except EngineError as error:
                if isinstance(error.__cause__, MemoryError):
                    self._trial.lengthen()
                self._end_all([ticket], error)

    def _end_all(self, tickets: Sequence[Ticket], error: EngineError) -> None:
        """Fail the tickets that are not done, or cancel them if the pool is closing."""
        for ticket in tickets:
            if ticket.future.done():
                continue
            if self._closing:
                ticket.cancel()
            else:
                ticket.fail(error)

    def _transcribe(
        self, tickets: Sequence[Ticket], *, next_batch: Callable[[], Sequence[RecognitionRequest]] | None = None
    ) -> None:
        process = self._process or self._load()
        limit_cpu_sec = max(LEAST_CPU_SEC, self._spec.limit_cpu_sec(len(tickets)))
        started_at = time.monotonic()
        try:
            recognitions = process.transcribe(
                [ticket.request for ticket in tickets],
                idle_sec=self._idle_limit_sec,
                cpu_sec=limit_cpu_sec,
                next_batch=next_batch,
                is_wanted=partial(_is_wanted, tickets, started_at + process.load_sec) if self._may_abandon else always,
            )
        except ChildNotWanted:
            self._drop_process()
            for ticket in tickets:
                ticket.cancel()
            return
        except EngineError as error:
            self._replace_process(error)
            raise
        finally:
            took_sec = time.monotonic() - started_at
            ENGINE_BUSY_SECONDS.labels(self._spec.name).inc(took_sec)
            _share_cost(tickets, took_sec)
            for ticket in tickets:
                record_call(ticket.queued, ticket.request.window, took_sec, len(tickets))
        for ticket, recognition in zip(tickets, recognitions, strict=True):
            ticket.succeed(recognition)

    def _load(self, attempts: int = LOAD_ATTEMPTS) -> EngineProcess:
        """Start an engine and load it. Retry if the process dies or hangs, but not if it reports why it cannot load."""
        try:
            process, is_loaded = self._start()
            if not is_loaded:
                self._load_in(process)
        except EngineError as error:
            self._replace_process(error)
            if attempts == 1:
                raise cannot_load(self._spec, error.message.rstrip(".")) from error
            return self._load(attempts - 1)
        return process

    def _load_in(self, process: EngineProcess) -> None:
        if self._on_trial:
            self._trial.load_and_run(process, self._spec)
            self._on_trial = False
        else:
            process.load()

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
            log.warning(
                "engine.replaced",
                engine=self._spec.name,
                model=self._spec.model,
                device=self.device,
                reason=error.reason or error.message,
            )
        self._drop_process()

    def _drop_process(self) -> None:
        with self._lock:
            if self._process:
                self._process.end()
            self._process = None


def _share_cost(tickets: Sequence[Ticket], took_sec: float) -> None:
    """Add the time of a batch to the costs of its files, in proportion to the length of their windows."""
    sum_sec = sum(ticket.request.window.duration_sec for ticket in tickets)
    for ticket in tickets:
        part = ticket.request.window.duration_sec / sum_sec if sum_sec else 1 / len(tickets)
        ticket.meter.add(compute_sec=took_sec * part)


def _is_wanted(tickets: Sequence[Ticket], abandon_from: float) -> bool:
    """Return whether a window is wanted, or the process should be given until `abandon_from` to finish."""
    return time.monotonic() < abandon_from or not all(ticket.future.cancelled() for ticket in tickets)
