"""The deletion of jobs: on request, or because they are old.

A deleted job is hidden at once, and its secrets are deleted. A task deletes its other rows step by step, so a job of a
million files does not block others. Recordings and transcripts in storage stay as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from batchscribe.database.connect import Connection
from batchscribe.database.delivery_rows import is_pending
from batchscribe.database.job_rows import get_job, lock_job
from batchscribe.database.purge_rows import (
    DeletedJob,
    delete_job_row,
    delete_some_rows,
    hide_job,
    is_hidden,
    jobs_ended_before,
    jobs_hidden_before,
)
from batchscribe.database.sealed import destroy_secrets
from batchscribe.errors import JobNotFound
from batchscribe.jobs.model import Job
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import PURGE, SERVER_LANE, Task
from batchscribe.stages.delivery_log import WEBHOOK
from batchscribe.stages.finish import clear_queues, end_within, forget_lane, report_end
from batchscribe.wire.choices import JobState

log = structlog.get_logger()

STEP_ROWS = 2000  #: deleted in one transaction
PAUSE_SEC = 0.02  #: between two transactions: SQLite has one lock for writers, and does not queue them
SETTLE_SEC = 5.0  #: for workers to notice that a job has ended, before its rows are deleted
JOBS_AT_ONCE = 100  #: old jobs that are deleted in one turn of the periodic task
RESUME_AFTER_SEC = 600.0  #: a deleted job that still has rows gets another task


def delete_job(job: Job, records: Records) -> None:
    """Delete a job. One that has not ended is canceled first. Raises `JobNotFound` if it was deleted before.

    No more webhook events are sent.
    """
    with records.transaction() as connection:
        lock_job(connection, job.number)
        job = get_job(connection, job.job_id)
        was_live = not job.is_final
        if was_live:
            destroy_secrets(connection, job, [WEBHOOK])
            end_within(connection, job, JobState.CANCELED, records)
        if not hide_job(connection, job.number):
            raise JobNotFound(f"There is no job {job.job_id}.")
        _enqueue(connection, job, records, delay_sec=SETTLE_SEC if was_live else 0.0)
    if was_live:
        report_end(job, JobState.CANCELED)
    log.info("job.deleted", job_id=job.job_id, tenant=job.tenant)


def purge_job(job: Job, records: Records, check: Callable[[], None]) -> None:
    """Delete the rows of a deleted job. `check` raises `WorkInterrupted` to stop between two steps."""
    with records.transaction() as connection:
        if not is_hidden(connection, job.number):
            return
    if not job.has_own_lane:
        clear_queues(job, records)
    _purge_rows(job, records, check)


def purge_alone(job: Job, records: Records) -> None:
    """Delete the rows and tasks of a deleted job at once. No other process may use this database."""
    purge_job(job, records, check=lambda: None)
    records.flow.forget_all_tasks(job.job_id)
    if job.has_own_lane:
        forget_lane(job, records)


def _purge_rows(job: Job | DeletedJob, records: Records, check: Callable[[], None]) -> None:
    has_more = True
    while has_more:
        check()
        with records.transaction() as connection:
            has_more = delete_some_rows(connection, job.number, limit=STEP_ROWS)
            if not has_more:
                delete_job_row(connection, job.number)
        time.sleep(PAUSE_SEC)
    log.info("job.purged", job_id=job.job_id, tenant=job.tenant)


def delete_old_jobs(records: Records, *, retention_sec: float | None, check: Callable[[], None]) -> None:
    """Delete the jobs that ended longer ago than `retention_sec`, and finish what was not purged long after that.

    A job whose webhook is still to be sent stays until it is delivered or given up.
    """
    moment = time.time()
    with records.transaction() as connection:
        old = [] if retention_sec is None else jobs_ended_before(connection, moment - retention_sec, limit=JOBS_AT_ONCE)
        left = jobs_hidden_before(connection, moment - RESUME_AFTER_SEC, limit=JOBS_AT_ONCE)
    for job in (*old, *left):
        check()
        with records.transaction() as connection:
            lock_job(connection, job.number)
            if is_pending(connection, job.number):  # it was replayed a moment ago
                continue
            if hide_job(connection, job.number):
                log.info("job.deleted", job_id=job.job_id, tenant=job.tenant)
            if not job.has_own_lane:
                _enqueue(connection, job, records)
        if job.has_own_lane:  # perhaps no server will ever run in this data directory
            _purge_rows(job, records, check)


def _enqueue(connection: Connection, job: Job | DeletedJob, records: Records, *, delay_sec: float = 0.0) -> None:
    records.flow.enqueue(connection, _task(job), delay_sec=delay_sec)


def _task(job: Job | DeletedJob) -> Task:
    lane = SERVER_LANE if job.has_own_lane else job.lane
    return Task(PURGE, job.job_id, lane=lane, tenant=job.tenant)
