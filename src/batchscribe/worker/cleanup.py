"""Periodic deletion of what has expired, by one worker for all."""

from __future__ import annotations

from batchscribe.database.expired_rows import delete_expired
from batchscribe.database.worker_rows import PeriodicTask, claim_periodic_task
from batchscribe.queue.records import Records


def clean_up(records: Records, *, every_sec: float) -> None:
    """Delete expired secrets and sessions, unless another worker did so within `every_sec`."""
    with records.transaction() as connection:
        if claim_periodic_task(connection, PeriodicTask.CLEAN_UP, every_sec=every_sec):
            delete_expired(connection)
