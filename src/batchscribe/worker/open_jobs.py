"""The contexts of the jobs that this process works on, with credentials, open stores and decrypted secrets.

The tasks of a job share one context, which is dropped with the last of them. So nothing of an ended job is kept. The
tasks of a canceled job end as soon as its files in progress notice that: within half a second, or at the next response
of storage. References between exceptions and their frames are collected a second later. Freed memory is not
overwritten: neither Python nor the storage library can do that.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from batchscribe.jobs.model import Job
from batchscribe.stages.job_context import JobContext

COLLECT_SEC = 1.0  #: after the end of a job's last task here; a collection takes about 50 ms, for all ended jobs


@dataclass(slots=True)
class _Open:
    context: JobContext
    tasks: int = 0


class OpenJobs:
    """The job contexts in use. Thread-safe."""

    def __init__(self, make: Callable[[Job], JobContext]) -> None:
        self._make = make
        self._open: dict[int, _Open] = {}
        self._collecting: threading.Timer | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def of(self, job: Job) -> Iterator[JobContext]:
        """Hold the context of a job for one task. Raises `SecretKeyChanged`, `EngineNotAvailable`, `InvalidSetting`."""
        with self._lock:
            entry = self._open.get(job.number)
            if entry is None:
                entry = self._open[job.number] = _Open(self._make(job))
            entry.tasks += 1
        try:
            yield entry.context
        finally:
            self._leave(job.number, entry)

    def _leave(self, job_number: int, entry: _Open) -> None:
        with self._lock:
            entry.tasks -= 1
            if entry.tasks:
                return
            del self._open[job_number]
            if self._collecting is None:
                self._collecting = threading.Timer(COLLECT_SEC, self._collect)
                self._collecting.daemon = True
                self._collecting.start()

    def _collect(self) -> None:
        with self._lock:
            self._collecting = None
        gc.collect()
