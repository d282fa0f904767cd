"""Engines that pause, so that a job stays in progress on any machine, however slow or fast."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import Future
from threading import Lock

from batchscribe.speech.engine import EngineSpec, RecognitionRequest
from batchscribe.speech.inline import InlinePool
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.window import Recognition
from batchscribe.worker.engine_pools import MakePool


class PausingPool(InlinePool):
    """Recognizes the first `windows` windows. Later ones wait for `resume`; the end of the pool cancels them."""

    def __init__(self, windows: int, *, call_sec: float = 0.0, spec: EngineSpec | None = None) -> None:
        super().__init__(spec or ScriptedSpec(script=Script(call_sec=call_sec)), 2)
        self._left: float = windows
        self._waiting: list[tuple[RecognitionRequest, Future[Recognition]]] = []
        self._counting = Lock()

    def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
        with self._counting:
            self._left -= 1
            if self._left < 0:
                future: Future[Recognition] = Future()
                self._waiting.append((request, future))
                return future
        return super().submit(request, file)

    def resume(self) -> None:
        with self._counting:
            self._left = float("inf")
            waiting, self._waiting = self._waiting, []
        for request, future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_result(self._transcribe(request))

    def close(self) -> None:
        with self._counting:
            for _, future in self._waiting:
                future.cancel()
        super().close()


def pausing_after(windows: int, *, call_sec: float = 0.0) -> MakePool:
    """Return what makes such a pool for a worker."""

    def make(_spec: EngineSpec, _processes: int) -> PausingPool:
        return PausingPool(windows, call_sec=call_sec)

    return make
