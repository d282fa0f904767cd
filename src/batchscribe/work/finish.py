"""End a job: its state from the counters, its credentials destroyed, the engine's rows of it deleted."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from batchscribe.database.job import end_job, get_job
from batchscribe.database.sealed import destroy_secrets
from batchscribe.database.shard import shards_in
from batchscribe.errors import BatchscribeError
from batchscribe.jobs.model import Job, ShardState
from batchscribe.jobs.summary import final_state, job_error
from batchscribe.wire.states import JobState
from batchscribe.work.flow import ENUMERATE, FINISH, SHARD, Task
from batchscribe.work.records import Records

log = structlog.get_logger()


def finish_job(job_id: str, records: Records) -> None:
    """What follows when every file has its final state."""
    with records.transaction() as connection:
        job = get_job(connection, job_id)
    end(job, final_state(job.summary), records, error=job_error(job.summary))


def cancel_job(job: Job, records: Records) -> bool:
    """Nothing new starts; finished transcripts are kept. False when the job had ended before."""
    return end(job, JobState.CANCELED, records)


def fail_job(job: Job, error: BatchscribeError, records: Records) -> bool:
    """End a job that cannot go on. False when it had ended before."""
    return end(job, JobState.FAILED, records, error=error)


def end(job: Job, state: JobState, records: Records, *, error: BatchscribeError | None = None) -> bool:
    """The final state and the end of the credentials are one transaction; then the queues are cleared."""
    with records.transaction() as connection:
        ended = end_job(connection, job, state, error=error)
        if not ended:
            return False
        destroy_secrets(connection, job)
        running = shards_in(connection, job.number, ShardState.RUNNING)
        tasks = [task for task in _tasks(get_job(connection, job.job_id)) if task.number not in running]
    log.info("job.ended", job_id=job.job_id, tenant=job.tenant, state=state, error_code=error and error.code)
    # What runs sees that its job has ended and comes to its own end; the engine minds if its rows vanish before.
    records.flow.cancel(tasks)
    records.flow.forget(tasks)
    return True


def forget_job(job: Job, records: Records) -> None:
    """Delete what the engine still has of an ended job that had a lane of its own."""
    tasks = [Task(ENUMERATE, job.job_id, lane=job.lane), *_tasks(job), Task(FINISH, job.job_id, lane=job.lane)]
    records.flow.forget(tasks)
    records.flow.forget_lane(job.lane)


def _tasks(job: Job) -> Iterator[Task]:
    """The shards, and the enumeration unless it may be under way."""
    if job.cursor.listed:
        yield Task(ENUMERATE, job.job_id, lane=job.lane)
    for number in range(1, job.cursor.shard + 1):
        yield Task(SHARD, job.job_id, number, lane=job.lane)
