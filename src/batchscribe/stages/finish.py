"""The end of a job: its state from the counters, its credentials released, its tasks deleted."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from batchscribe.database.checkpoint_rows import delete_parts
from batchscribe.database.connect import Connection
from batchscribe.database.file_rows import files_being_written, wait_for_commits
from batchscribe.database.job_counters import count_unfinished_usage
from batchscribe.database.job_rows import end_job, get_job
from batchscribe.database.sealed import release_secrets
from batchscribe.database.shard_rows import shards_in
from batchscribe.database.waiting_rows import delete_waiting
from batchscribe.errors import BatchscribeError
from batchscribe.jobs.model import Job, ShardState
from batchscribe.jobs.summary import final_state, job_error
from batchscribe.metrics import JOBS
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import CLEAR, ENUMERATE, FINISH, RETRY, SHARD, WAKE, Task
from batchscribe.speech.capability import queue_key_of
from batchscribe.speech.registry import engine_names
from batchscribe.stages.deliver import announce
from batchscribe.stages.sealed_credentials import STORAGE_SECRETS
from batchscribe.wire.choices import JobState

log = structlog.get_logger()


def finish_task(job: Job) -> Task:
    """Return the task that ends the job once all its files have a final state: one for each retry."""
    return Task(FINISH, job.job_id, job.retry_number, lane=job.lane, tenant=job.tenant)


def finish_job(job: Job, number: int, records: Records) -> None:
    """End a job whose files all have a final state. `number` is that of the retry after which they do."""
    if number == job.retry_number:
        end(job, final_state(job.summary), records, error=job_error(job.summary))


def cancel_job(job: Job, records: Records) -> bool:
    """Cancel a job. Nothing new starts; finished transcripts are kept. Returns False if it had ended before."""
    return end(job, JobState.CANCELED, records)


def cancel_served_job(job: Job, records: Records) -> bool:
    """Cancel a job as `cancel_job` does, but quickly even for a large job: a task clears its queues later."""
    with records.transaction() as connection:
        if end_within(connection, job, JobState.CANCELED, records) is None:
            return False
        records.flow.enqueue(connection, Task(CLEAR, job.job_id, lane=job.lane, tenant=job.tenant))
    report_end(job, JobState.CANCELED)
    return True


def fail_job(job: Job, error: BatchscribeError, records: Records) -> bool:
    """End a job that cannot continue. Returns False if it had ended before."""
    return end(job, JobState.FAILED, records, error=error)


def end(job: Job, state: JobState, records: Records, *, error: BatchscribeError | None = None) -> bool:
    """Set the final state, enqueue the webhook and release the credentials in one transaction; then clear queues."""
    with records.transaction() as connection:
        ended = end_within(connection, job, state, records, error=error)
    if ended is None:
        return False
    report_end(job, state, error)
    clear_queues(ended, records)
    return True


def report_end(job: Job, state: JobState, error: BatchscribeError | None = None) -> None:
    """Count and log the end of a job, after it is recorded."""
    JOBS.labels(state.lower()).inc()
    log.info("job.ended", job_id=job.job_id, tenant=job.tenant, state=state, error_code=error and error.code)


def end_within(
    connection: Connection, job: Job, state: JobState, records: Records, *, error: BatchscribeError | None = None
) -> Job | None:
    """End a job in the caller's transaction. Return it as it is then; None if it had ended before.

    Afterwards, call `report_end`, and clear its queues.
    """
    if not end_job(connection, job, state, error=error):
        return None
    delete_waiting(connection, job.number)
    wait_for_commits(connection, job.number)  # they may have seen a live job, and then do not conclude it
    delete_parts(connection, job.number)
    count_unfinished_usage(connection, job)
    ended = get_job(connection, job.job_id)
    conclude(connection, ended, records)
    return ended


def conclude(connection: Connection, job: Job, records: Records) -> None:
    """Release the credentials of an ended job and enqueue its webhook, which shows the job as given.

    While transcripts are being written, this is left to the end of the last write: only then is the summary final, and
    the credentials may be needed to look for the transcript. See `settle`.
    """
    if not files_being_written(connection, job.number):
        keep_sec = 0.0 if job.has_own_lane else records.keep.credentials_sec
        release_secrets(connection, job, STORAGE_SECRETS, keep_sec=keep_sec)
        announce(connection, records, job)


def clear_queues(job: Job, records: Records) -> None:
    """Remove the remaining tasks of an ended job, as it is after its end, from the queues.

    Running tasks are left alone: they notice the end of their job, and the queue needs their rows until they end.
    """
    with records.transaction() as connection:
        running = shards_in(connection, job.number, ShardState.RUNNING)
    tasks = [task for task in _tasks(job) if task.number not in running]
    records.flow.cancel(tasks)
    records.flow.forget(tasks)


def forget_job(job: Job, records: Records) -> None:
    """Delete the remaining tasks of an ended job that had its own lane, and the lane."""
    forget_tasks(job, records)
    forget_lane(job, records)


def forget_lane(job: Job, records: Records) -> None:
    """Delete the queues of an ended job that had its own lane."""
    keys = {*engine_names(), job.engine, job.model_key}
    records.flow.forget_lane(job.lane, keys | {queue_key_of(key, diarization=True) for key in keys})


def forget_tasks(job: Job, records: Records) -> None:
    """Delete the remaining tasks of an ended job, but not its lane, which a later job uses."""
    kinds = (ENUMERATE, FINISH, CLEAR)
    tasks = [*_tasks(job), *(Task(kind, job.job_id, lane=job.lane) for kind in kinds)]
    for number in range(1, job.retry_number + 1):
        tasks += [Task(kind, job.job_id, number, lane=job.lane) for kind in (RETRY, FINISH)]
    renewals = range(1, job.credentials_version + 1)
    records.flow.forget([*tasks, *(Task(WAKE, job.job_id, version, lane=job.lane) for version in renewals)])


def _tasks(job: Job) -> Iterator[Task]:
    """Yield the shards, and the enumeration unless it may be running."""
    if job.cursor.listed:
        yield Task(ENUMERATE, job.job_id, lane=job.lane)
    for number in range(1, job.cursor.shard + 1):
        yield Task(SHARD, job.job_id, number, lane=job.lane)
