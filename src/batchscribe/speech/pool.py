"""A pool of engine processes, shared by all files and jobs. It accepts windows and returns futures."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from concurrent.futures import CancelledError, Future
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Protocol, Self

from batchscribe.errors import MachineTrouble, WorkInterrupted
from batchscribe.metrics import ENGINE_BUSY_SECONDS
from batchscribe.speech.batches import BatchQueue, Ticket
from batchscribe.speech.engine import EngineSpec, RecognitionRequest
from batchscribe.speech.engine_process import EngineProcess
from batchscribe.speech.engine_thread import IDLE_LIMIT_SEC, EngineThread
from batchscribe.speech.pool_devices import PoolDevice, PoolDevices
from batchscribe.speech.trial import EngineTrial
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
        """Run a trial of the engine. Raises `MachineTrouble`, or `WorkInterrupted` if the pool is closed."""

    def close(self) -> None:
        """Cancel unfinished work and release all engines."""


class EnginePool:
    """At most `processes` engine processes, started on demand, with one thread each. Thread-safe.

    If a process dies, hangs or raises, a new one retries each window of the batch alone. If a window fails again, only
    its future raises `EngineDied`, `EngineTimeout` or `EngineError`. If no process can be started or the model cannot
    be loaded, every future raises `MachineTrouble` until `try_out` succeeds.

    With several GPUs, this concerns one GPU at a time: the others take over its windows. It gets work again when it has
    passed a trial, in `try_out` or after a minute.
    """

    def __init__(self, spec: EngineSpec, processes: int, *, idle_limit_sec: float = IDLE_LIMIT_SEC) -> None:
        self.spec = spec
        self.processes = spec.count_processes(processes)
        self._idle_limit_sec = idle_limit_sec
        self._queue = BatchQueue(self.processes, spec.kind_of_request)
        self._devices = PoolDevices(spec, self.processes)
        self._lock = Lock()
        self._started: list[EngineThread] = []
        self._trial = EngineTrial()
        self._one_trial = Lock()  #: at a time
        self._on_trial: EngineProcess | None = None
        self._spare: EngineProcess | None = None  #: has passed a trial on the CPU; for the next thread
        self._closed = False
        ENGINE_BUSY_SECONDS.labels(spec.name)  # makes the metric appear with the value 0

    def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
        with self._lock:
            if trouble := self._devices.trouble:
                return make_failed_future(trouble)
            ticket = self._queue.put(request, file)
            self._start_if_needed()
            return ticket.future

    def try_out(self) -> None:
        """Run a trial on each device. A device that passes gets work again.

        On a CPU, a new process runs it beside those at work. A GPU may have no memory for a second model, so its thread
        runs the trial after its batch.

        Raises `MachineTrouble` if all fail, or `WorkInterrupted` if the pool is closed.
        """
        with self._one_trial:
            troubles = self._try_out_gpus() if self.spec.is_on_gpu else [self._try_out_cpu()]
        if (first := troubles[0]) and all(troubles):
            raise first

    def _try_out_gpus(self) -> list[MachineTrouble | None]:
        trials = [self._ask_for_trial(device) for device in self._devices.all]
        self._queue.wake()
        return [trouble_of(trial) for trial in trials]

    def _ask_for_trial(self, device: PoolDevice) -> Future[None]:
        """Ask the thread of a device, which is started if there is none."""
        with self._lock:
            self._check_open()
            thread = next((each for each in self._started if each.device == device.name), None)
            return (thread or self._start(device)).try_out()

    def _try_out_cpu(self) -> MachineTrouble | None:
        """Run a trial in a new process. It is kept for the next thread if it passes."""
        process, passed = self._begin_trial(), False
        try:
            self._trial.load_and_run(process, self.spec)
            passed = True
        except MachineTrouble as trouble:
            return trouble
        finally:
            self._end_trial(process, passed=passed)
        return None

    def _begin_trial(self) -> EngineProcess:
        with self._lock:
            self._check_open()
            self._on_trial = EngineProcess(self.spec)
            return self._on_trial

    def _end_trial(self, process: EngineProcess, *, passed: bool) -> None:
        with self._lock:
            self._on_trial = None
            if passed and not self._closed and self._spare is None:
                self._spare = process
            else:
                process.end()
            self._check_open()
            if passed:
                self._devices.recover(self._devices.all[0])

    def _check_open(self) -> None:
        if self._closed:
            raise WorkInterrupted("The engines were stopped.")

    @property
    def has_enough(self) -> bool:
        return self._queue.backlog >= self.processes * self.spec.batch_size

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._devices.close()
            self._closed = True
            started = list(self._started)
            if self._on_trial:
                self._on_trial.kill()
        if spare := self._take_spare():
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

    def _start_if_needed(self) -> None:
        """Start a thread if more windows wait than threads. The caller must hold the lock."""
        if self._closed or not self._queue.short_of_takers:
            return
        device = self._devices.find_free([thread.device for thread in self._started])
        if device is not None:
            self._start(device)

    def _start(self, device: PoolDevice) -> EngineThread:
        """Start a thread. The caller must hold the lock."""
        thread = EngineThread(
            device.spec,
            self._queue,
            self._idle_limit_sec,
            take_spare=self._take_spare,
            loaded=partial(self._recover, device),
            give_up=self._give_up,
            trial=self._trial,
            on_trial=device.trouble is not None,
        )
        self._started.append(thread)
        return thread

    def _take_spare(self) -> EngineProcess | None:
        with self._lock:
            spare, self._spare = self._spare, None
            return spare

    def _recover(self, device: PoolDevice) -> None:
        with self._lock:
            self._devices.recover(device)

    def _give_up(self, thread: EngineThread, trouble: MachineTrouble, left: Sequence[Ticket]) -> None:
        """Leave the windows to the other devices. If there are none, fail all windows.

        Threads of the same device with a loaded engine finish their current batch.
        """
        with self._lock:
            self._started.remove(thread)
            self._devices.fail(self._devices.by_name(thread.device), trouble)
            if self._devices.trouble is None:
                self._queue.put_back(left)
                self._start_if_needed()
                return
            left = [*left, *self._queue.clear()]
        for ticket in left:
            ticket.fail(trouble)


def trouble_of(trial: Future[None]) -> MachineTrouble | None:
    """Wait for a trial. Raises `WorkInterrupted` if it is canceled."""
    try:
        trial.result()
    except CancelledError:
        raise WorkInterrupted("The engines were stopped.") from None
    except MachineTrouble as trouble:
        return trouble
    return None


def make_failed_future(error: Exception) -> Future[Recognition]:
    future: Future[Recognition] = Future()
    future.set_exception(error)
    return future
