"""An in-memory `SpeechPool` for tests: engines run in threads of this process."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock, local
from time import monotonic

from batchscribe.cost import CostMeter, current_meter
from batchscribe.speech.engine import Engine, EngineSpec, RecognitionRequest
from batchscribe.speech.trial import trial_request
from batchscribe.tracing.spans import QueuedCall, queue_call, record_call
from batchscribe.window import Recognition


class InlinePool:
    """A `SpeechPool` without child processes: a thread with an engine takes the place of each."""

    def __init__(self, spec: EngineSpec, processes: int = 1) -> None:
        self.spec = spec
        self.processes = processes
        self._engines = local()
        self._lock = Lock()
        self._closed = False
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix=f"speech-{spec.name}")

    @property
    def has_enough(self) -> bool:
        return False

    def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
        with self._lock:
            if not self._closed:
                return self._threads.submit(self._transcribe_for, current_meter(), queue_call(), request)
        future: Future[Recognition] = Future()
        future.cancel()
        return future

    def try_out(self) -> None:
        """Build an engine and run the trial. Raises the errors of the engine."""
        self.spec.build().transcribe([trial_request(self.spec)])

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._threads.shutdown(cancel_futures=True)

    def _engine(self) -> Engine:
        """Return the engine of this thread."""
        engine: Engine | None = getattr(self._engines, "engine", None)
        if engine is None:
            engine = self._engines.engine = self.spec.build()
        return engine

    def _transcribe_for(self, meter: CostMeter, queued: QueuedCall | None, request: RecognitionRequest) -> Recognition:
        began_at = monotonic()
        try:
            return self._transcribe(request)
        finally:
            took_sec = monotonic() - began_at
            meter.add(compute_sec=took_sec)
            record_call(queued, request.window, took_sec)

    def _transcribe(self, request: RecognitionRequest) -> Recognition:
        [recognition] = self._engine().transcribe([request])
        return recognition
