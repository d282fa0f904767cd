"""The hooks round the handlers of tasks: log fields, retries, and what an error means for the job.

A handler contains only its work. Each hook takes a handler and returns one:

    with_log_fields     the worker's and the job's id on every log line
      with_retries        the same again while the database or the machine is in trouble; counts the retries
        with_readable_job   the task back into its queue if this release cannot read the job's row
          with_job            the job from its row; nothing if it has ended
            with_outcome        an error ends the job, requeues the task or keeps it on record
              the handler
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import structlog

from batchscribe.database.connect import DATABASE_TROUBLE, RETRY_SEC, cause_of
from batchscribe.database.job_rows import UnreadableJob, find_job
from batchscribe.errors import (
    InternalError,
    JobError,
    MachineTrouble,
    ShardTaken,
    StorageError,
    UsageError,
    WorkInterrupted,
)
from batchscribe.jobs.model import Job
from batchscribe.metrics import RETRIES, Retry
from batchscribe.queue.records import Records
from batchscribe.queue.task_queue import Handler
from batchscribe.stages.finish import fail_job
from batchscribe.stages.job_context import JobWatch, about_job, about_task
from batchscribe.stages.shortage import shortage_in

log = structlog.get_logger()

#: Works on a job for one of its tasks; the number is that of the task.
JobHandler = Callable[[Job, int], None]
#: Reacts to a machine that cannot do the work. Raises the trouble if this process retries, else `WorkInterrupted`.
OnTrouble = Callable[[Job, int, MachineTrouble], NoReturn]


def with_log_fields(handler: Handler, worker_id: str) -> Handler:
    def run(job_id: str, number: int) -> None:
        with about_task(worker_id, job_id):
            handler(job_id, number)

    return run


def with_retries(handler: Handler, watch: JobWatch) -> Handler:
    """Retry as long as the database or the machine is in trouble, for example with a full disk."""

    def run(job_id: str, number: int) -> None:
        while True:
            try:
                handler(job_id, number)
            except DATABASE_TROUBLE as error:
                log.exception("database.trouble", error=cause_of(error))
                _postpone(watch, error)
            except (MachineTrouble, MemoryError, OSError, RuntimeError) as error:
                trouble = error if isinstance(error, MachineTrouble) else shortage_in(error)
                if trouble is None:
                    raise
                log.exception("machine.trouble", error=trouble.message)
                _postpone(watch, error)
            else:
                return

    return run


def _postpone(watch: JobWatch, error: Exception) -> None:
    if watch.wait(RETRY_SEC):
        raise WorkInterrupted("The worker stops.") from error
    RETRIES.labels(Retry.TASK).inc()


def with_readable_job(handler: Handler, records: Records, watch: JobWatch) -> Handler:
    """Leave a job that a newer release has accepted to the workers of that release.

    If none is live, this process takes the task again and again, so it pauses first.
    """

    def run(job_id: str, number: int) -> None:
        try:
            handler(job_id, number)
        except UnreadableJob as error:
            log.warning("job.unreadable", error=str(error))
            if not watch.wait(RETRY_SEC):
                records.flow.give_back()
            raise WorkInterrupted("A worker of a newer release must do this task.") from error

    return run


def with_job(handler: JobHandler, records: Records, *, even_if_ended: bool = False) -> Handler:
    def run(job_id: str, number: int) -> None:
        with records.transaction() as connection:
            job = find_job(connection, job_id)
        if job is None or (job.is_final and not even_if_ended):
            return
        with about_job(job):
            handler(job, number)

    return run


def with_outcome(handler: JobHandler, records: Records, watch: JobWatch, on_trouble: OnTrouble) -> JobHandler:
    """Keep the errors of a job away from other jobs: they end the job, unless its task can be done later."""

    def run(job: Job, number: int) -> None:
        try:
            handler(job, number)
        except (ShardTaken, *DATABASE_TROUBLE):
            raise  # another worker ends the task of a shard that it has taken
        except MachineTrouble as trouble:
            on_trouble(job, number, trouble)
        except WorkInterrupted:
            if watch.draining:
                keep_until_stopped(watch)
        except (JobError, StorageError, UsageError) as error:
            fail_job(job, error, records)
        except Exception as error:
            lacking = shortage_in(error)
            if lacking is None:
                log.exception("task.mistake", number=number)
                fail_job(job, InternalError("Internal error; the worker's log has the details."), records)
                raise
            on_trouble(job, number, lacking)

    return run


def keep_until_stopped(watch: JobWatch) -> NoReturn:
    """Keep a task recorded as running: ending it would lose it, and fetch the next one from the queue."""
    watch.wait(None)
    raise WorkInterrupted("The worker stops.")


def retry_here(_job: Job, _number: int, trouble: MachineTrouble) -> NoReturn:
    """Leave the task with this process; see `with_retries`."""
    raise trouble
