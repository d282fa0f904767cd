"""The in-memory twin of the pool: engines in threads of this process."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock, local

from batchscribe.segment import Hearing, Segment
from batchscribe.speech.engine import Engine, EngineSpec


class InlinePool:
    """A `SpeechPool` in this process: the same futures, one thread and one engine for each worker, no child."""

    def __init__(self, spec: EngineSpec, workers: int = 1) -> None:
        self.spec = spec
        self.workers = workers
        self.busy_sec = 0.0
        self._engines = local()
        self._lock = Lock()
        self._closed = False
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix=f"speech-{spec.name}")

    def submit(self, segment: Segment, language: str) -> Future[Hearing]:
        with self._lock:
            if not self._closed:
                return self._threads.submit(self._hear, segment, language)
        future: Future[Hearing] = Future()
        future.cancel()
        return future

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._threads.shutdown(cancel_futures=True)

    def _engine(self) -> Engine:
        """Of this thread."""
        engine: Engine | None = getattr(self._engines, "engine", None)
        if engine is None:
            engine = self._engines.engine = self.spec.build()
        return engine

    def _hear(self, segment: Segment, language: str) -> Hearing:
        engine = self._engine()
        started_at = time.monotonic()
        hearings = engine.transcribe([segment], language)
        with self._lock:
            self.busy_sec += time.monotonic() - started_at
        return hearings[0]
