"""A pool of engine processes, shared by all files and jobs. It accepts windows and returns futures."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import Future
from threading import Lock
from types import TracebackType
from typing import Protocol, Self

from batchscribe.errors import MachineTrouble, WorkInterrupted
from batchscribe.metrics import ENGINE_BUSY_SECONDS, ENGINE_PROCESSES
from batchscribe.speech.batches import BatchQueue
from batchscribe.speech.engine import EngineSpec, RecognitionRequest
from batchscribe.speech.engine_process import EngineProcess, hear_trial
from batchscribe.speech.engine_thread import IDLE_LIMIT_SEC, EngineThread
from batchscribe.window import Recognition


class SpeechPool(Protocol):
    """The interface for submitting windows."""

    def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
        """Submit a window. Files take turns. The future raises `MachineTrouble` or an `EngineError`.

        Canceling the future avoids the work. When the pool closes, it cancels the future.
        """

    @property
    def has_enough(self) -> bool:
        """Whether a full batch waits for each engine. More windows would only use memory."""

    def try_out(self) -> None:
        """Run a trial in a new engine. Raises `MachineTrouble`, or `WorkInterrupted` if the pool is closed."""

    def close(self) -> None:
        """Cancel unfinished work and release all engines."""


class EnginePool:
    """At most `processes` engine processes, started on demand, with one thread each. Thread-safe.

    If a process dies, hangs or raises, a new one retries each window of the batch alone. If a window fails again, only
    its future raises `EngineDied`, `EngineTimeout` or `EngineError`. If no process can be started or the model cannot
    be loaded, every future raises `MachineTrouble` until `try_out` succeeds.
    """

    def __init__(self, spec: EngineSpec, processes: int, *, idle_limit_sec: float = IDLE_LIMIT_SEC) -> None:
        self.spec = spec
        self.processes = spec.count_processes(processes)
        self._idle_limit_sec = idle_limit_sec
        self._queue = BatchQueue(self.processes)
        self._lock = Lock()
        self._started: list[EngineThread] = []
        self._trouble: MachineTrouble | None = None
        self._spare: EngineProcess | None = None  #: has passed a trial and is ready for the next thread that needs one
        self._trial = Lock()  #: one at a time
        self._on_trial: EngineProcess | None = None
        self._closed = False
        ENGINE_BUSY_SECONDS.labels(spec.name)  # makes the metric appear with the value 0
        ENGINE_PROCESSES.labels(spec.name).inc(self.processes)

    def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
        with self._lock:
            if self._trouble:
                return make_failed_future(self._trouble)
            ticket = self._queue.put(request, file)
            if not self._closed and len(self._started) < self.processes and self._queue.short_of_takers:
                self._start_thread()
            return ticket.future

    def try_out(self) -> None:
        """Run a trial without waiting for work in progress. A process that passes is kept for the next thread.

        Raises `MachineTrouble`, or `WorkInterrupted` if the pool is closed.
        """
        with self._trial:
            process, passed = self._begin_trial(), False
            try:
                hear_trial(process, self.spec)
                passed = True
            finally:
                self._end_trial(process, passed=passed)

    def _begin_trial(self) -> EngineProcess:
        with self._lock:
            if self._closed:
                raise WorkInterrupted("The engines were stopped.")
            self._on_trial = EngineProcess(self.spec)
            return self._on_trial

    def _end_trial(self, process: EngineProcess, *, passed: bool) -> None:
        with self._lock:
            self._on_trial = None
            if self._closed:
                process.end()
                raise WorkInterrupted("The engines were stopped.")
            if passed and self._spare is None:
                self._spare = process
            else:
                process.end()
            if passed:
                self._trouble = None

    @property
    def has_enough(self) -> bool:
        return self._queue.backlog >= self.processes * self.spec.batch_size

    def close(self) -> None:
        ENGINE_PROCESSES.labels(self.spec.name).dec(self.processes)
        with self._lock:
            self._closed = True
            started = list(self._started)
            spare, self._spare = self._spare, None
            if self._on_trial:
                self._on_trial.kill()
        if spare:
            spare.end()
        for ticket in self._queue.close():
            ticket.cancel()
        for thread in started:
            thread.kill()
        for thread in started:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_thread(self) -> None:
        """Start a thread. The caller must hold the lock."""
        self._started.append(
            EngineThread(
                self._spec_of_next(),
                self._queue,
                self._idle_limit_sec,
                take_spare=self._take_spare,
                give_up=self._give_up,
            )
        )

    def _spec_of_next(self) -> EngineSpec:
        devices = self.spec.devices
        return self.spec.on(devices[len(self._started)]) if devices else self.spec

    def _take_spare(self) -> EngineProcess | None:
        with self._lock:
            spare, self._spare = self._spare, None
        return spare

    def _give_up(self, thread: EngineThread, trouble: MachineTrouble) -> None:
        """Fail all waiting tickets. Threads with a loaded engine finish their current batch."""
        with self._lock:
            self._trouble = trouble
            self._started.remove(thread)
            left = self._queue.clear()
        for ticket in left:
            ticket.fail(trouble)


def make_failed_future(error: Exception) -> Future[Recognition]:
    future: Future[Recognition] = Future()
    future.set_exception(error)
    return future
