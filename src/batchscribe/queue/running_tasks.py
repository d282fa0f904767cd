"""The tasks that run in this process."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class RunningTasks:
    """Counts of runs, by task id and by kind. Thread-safe.

    A task may run twice here: it can be requeued while it runs, and taken again.
    """

    def __init__(self) -> None:
        self.moves = 0  #: incremented whenever a task begins or ends
        self.ended = threading.Event()  #: set when a task has ended; the thread that waits for it clears it
        self._runs: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._runs

    def __len__(self) -> int:
        return len(self._runs)

    def of_kinds(self, *kinds: str) -> int:
        return sum(self._kinds[kind] for kind in kinds)

    @contextmanager
    def count(self, task_id: str, kind: str) -> Iterator[None]:
        """Count a run for as long as it lasts."""
        self._count(task_id, kind, 1)
        try:
            yield
        finally:
            self._count(task_id, kind, -1)
            self.ended.set()

    def _count(self, task_id: str, kind: str, change: int) -> None:
        with self._lock:
            self.moves += 1
            self._kinds[kind] += change
            self._runs[task_id] += change
            self._runs = +self._runs  # removes tasks without a run
