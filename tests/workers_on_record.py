"""Workers as their rows describe them, for tests that need some."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from batchscribe.jobs.worker_record import WorkerRecord


def a_worker(name: str = "one", **changes: Any) -> WorkerRecord:
    """A worker of servers' jobs, without engines."""
    worker = WorkerRecord(
        worker_id=f"{name}-1",
        name=name,
        host="a",
        pid=7,
        version="1.0",
        home=None,
        lanes=("main",),
        slots=4,
        engines=(),
    )
    return replace(worker, **changes)
