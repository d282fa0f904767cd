"""Periodic deletion of what has expired and of old jobs, by one worker for all."""

from __future__ import annotations

from collections.abc import Callable

from batchscribe.database.expired_rows import delete_expired
from batchscribe.database.worker_rows import PeriodicTask, claim_periodic_task
from batchscribe.queue.records import Records
from batchscribe.stages.purge import delete_old_jobs

DAY_SEC = 86_400.0


def clean_up(
    records: Records,
    *,
    every_sec: float,
    retention_days: float | None = None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Delete expired secrets, expired sessions and old jobs, unless another worker did so within `every_sec`.

    `check` raises `WorkInterrupted` to stop between two jobs.
    """
    with records.transaction() as connection:
        if not claim_periodic_task(connection, PeriodicTask.CLEAN_UP, every_sec=every_sec):
            return
        delete_expired(connection)
    retention_sec = None if retention_days is None else DAY_SEC * retention_days
    delete_old_jobs(records, retention_sec=retention_sec, check=check)
