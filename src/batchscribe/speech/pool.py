"""A pool of engine processes, shared by all files and jobs. It accepts windows and returns futures."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Protocol, Self

from batchscribe.errors import MachineTrouble, WorkInterrupted
from batchscribe.metrics import ENGINE_BUSY_SECONDS
from batchscribe.speech.batches import BatchQueue, Ticket
from batchscribe.speech.engine import EngineSpec, RecognitionRequest
from batchscribe.speech.engine_process import EngineProcess, hear_trial
from batchscribe.speech.engine_thread import IDLE_LIMIT_SEC, EngineThread
from batchscribe.speech.pool_devices import PoolDevice, PoolDevices
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
        self._spares: dict[str, EngineProcess] = {}  #: by device: have passed a trial; for the next thread
        self._trial = Lock()  #: one at a time
        self._on_trial: set[EngineProcess] = set()
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
        """Run a trial on each device without waiting for work in progress. A device that passes gets work again.

        Raises `MachineTrouble` if all fail, or `WorkInterrupted` if the pool is closed.
        """
        devices = self._devices.all
        with self._trial:
            if len(devices) == 1:
                troubles = [self._try_out_on(devices[0])]
            else:
                with ThreadPoolExecutor(len(devices), thread_name_prefix="trial-") as threads:
                    troubles = list(threads.map(self._try_out_on, devices))
        if (first := troubles[0]) and all(troubles):
            raise first

    def _try_out_on(self, device: PoolDevice) -> MachineTrouble | None:
        """Run a trial in a new process. It is kept for the next thread if it passes."""
        process, passed = self._begin_trial(device), False
        try:
            hear_trial(process, device.spec)
            passed = True
        except MachineTrouble as trouble:
            self._fail_trial(device, trouble)
            return trouble
        finally:
            self._end_trial(process, device, passed=passed)
        return None

    def _begin_trial(self, device: PoolDevice) -> EngineProcess:
        with self._lock:
            if self._closed:
                raise WorkInterrupted("The engines were stopped.")
            process = EngineProcess(device.spec)
            self._on_trial.add(process)
            return process

    def _end_trial(self, process: EngineProcess, device: PoolDevice, *, passed: bool) -> None:
        with self._lock:
            self._on_trial.discard(process)
            if self._closed:
                process.end()
                raise WorkInterrupted("The engines were stopped.")
            # On a GPU in use, a second copy of the model would only take memory.
            is_wanted = device.name not in self._spares and not (device.spec.is_on_gpu and device.name in self._used())
            if passed and is_wanted:
                self._spares[device.name] = process
            else:
                process.end()
            if passed:
                self._devices.recover(device)

    def _fail_trial(self, device: PoolDevice, trouble: MachineTrouble) -> None:
        """Take a GPU out of use if there are others: its thread gives up after its batch."""
        if not self._devices.are_several:
            return
        with self._lock:
            self._devices.fail(device, trouble)
            for thread in self._started:
                if thread.device == device.name:
                    thread.retire(trouble)
        self._queue.wake()

    @property
    def has_enough(self) -> bool:
        return self._queue.backlog >= self.processes * self.spec.batch_size

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._devices.close()
            self._closed = True
            started = list(self._started)
            spares, self._spares = list(self._spares.values()), {}
            for process in self._on_trial:
                process.kill()
        for spare in spares:
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

    def _used(self) -> list[str]:
        return [thread.device for thread in self._started]

    def _start_if_needed(self) -> None:
        """Start a thread if more windows wait than threads. The caller must hold the lock."""
        if self._closed or not self._queue.short_of_takers:
            return
        device = self._devices.find_free(self._used())
        if device is None:
            return
        self._started.append(
            EngineThread(
                device.spec,
                self._queue,
                self._idle_limit_sec,
                take_spare=partial(self._take_spare, device),
                loaded=partial(self._recover, device),
                give_up=self._give_up,
                on_trial=device.trouble is not None,
            )
        )

    def _take_spare(self, device: PoolDevice) -> EngineProcess | None:
        with self._lock:
            return self._spares.pop(device.name, None)

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


def make_failed_future(error: Exception) -> Future[Recognition]:
    future: Future[Recognition] = Future()
    future.set_exception(error)
    return future
