"""Retries what failed in an ended job.

One transaction opens the job again and enqueues a task. Page by page, the task moves the failed files to new shards; in
a job that failed before its end, also those that were never finished. Each page is one transaction, and the job's row
has the position, so after a crash the task continues there. Transcripts stay as they are.

Workers that still run an earlier shard of the job can do no harm: the shard is closed, and its files are in others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import structlog

from batchscribe.database.connect import Connection
from batchscribe.database.delivery_rows import has_deliveries
from batchscribe.database.file_rows import files_being_written, page_of_files_in
from batchscribe.database.job_rows import get_job, is_complete, lock_job
from batchscribe.database.retry_rows import (
    TO_RETRY,
    RetryPosition,
    advance_retry,
    close_shards,
    end_requeuing,
    has_files_to_retry,
    position_of_retry,
    reopen_job,
    requeue_files,
)
from batchscribe.database.sealed import expire_secrets, has_secret
from batchscribe.database.shard_rows import insert_shards
from batchscribe.database.worker_rows import live_workers
from batchscribe.errors import JobNotRetryable
from batchscribe.jobs.model import RETRYABLE_JOB_STATES, File, Job
from batchscribe.jobs.sharding import ShardCutter, estimated_audio_sec
from batchscribe.jobs.worker_record import RETRIES_JOBS
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import ENUMERATE, FINISH, RETRY, SHARD, Task
from batchscribe.stages.delivery_log import WEBHOOK
from batchscribe.stages.sealed_credentials import STORAGE_SECRETS, restore_credentials
from batchscribe.storage.access import Credentials
from batchscribe.wire.choices import FileState, JobState

log = structlog.get_logger()

PAGE_FILES = 1000  #: requeued in one transaction
NO_WEBHOOK = "The URL of the job's webhook is no longer stored, so no event is sent when the job ends again."


@dataclass(frozen=True, slots=True)
class RetriedJob:
    job: Job  #: as it is now: in PROCESSING
    warnings: tuple[str, ...] = ()


def retry_job(
    job: Job,
    records: Records,
    *,
    silent_sec: float,
    credentials: Mapping[str, Credentials] = MappingProxyType({}),
    works_here: bool = False,
) -> RetriedJob:
    """Open an ended job again, and enqueue the task that requeues its failed files.

    `credentials` are fresh ones by side. Workers without a heartbeat for `silent_sec` do not count. With `works_here`,
    it may be a job of the command line, because this process works on it. Raises `JobNotRetryable` and
    `FreshCredentialsNeeded`.
    """
    if job.is_local and not works_here:
        raise JobNotRetryable(
            f"{job.job_id} was started on the command line, so no server works on it; run "
            f"`batchscribe jobs retry {job.job_id}` there."
        )
    with records.transaction() as connection:
        lock_job(connection, job.number)
        job = get_job(connection, job.job_id)
        check_retryable(connection, job)
        _check_workers(connection, job, silent_sec)
        restore_credentials(connection, records, job, credentials)
        close_shards(connection, job.number)
        if not reopen_job(connection, job):
            raise JobNotRetryable(f"{job.job_id} has been deleted.")
        expire_secrets(connection, job, [*STORAGE_SECRETS, WEBHOOK], None)
        retried = get_job(connection, job.job_id)
        is_silent = has_deliveries(connection, job.number) and not has_secret(connection, job, WEBHOOK)
        records.flow.enqueue(connection, _task(RETRY, retried, retried.retry_number))
    log.info("job.retried", job_id=job.job_id, tenant=job.tenant, number=retried.retry_number)
    return RetriedJob(retried, (NO_WEBHOOK,) if is_silent else ())


def check_retryable(connection: Connection, job: Job) -> None:
    """Raise `JobNotRetryable` if there is nothing to retry, or not now."""
    if not job.is_final:
        raise JobNotRetryable(f"{job.job_id} has not ended yet; wait until it has ended, then retry what failed.")
    if job.state is JobState.CANCELED:
        raise JobNotRetryable(
            f"{job.job_id} was canceled; submit the job again instead: files that have a transcript are skipped."
        )
    if job.state not in RETRYABLE_JOB_STATES:
        raise JobNotRetryable(f"No file of {job.job_id} failed, so there is nothing to retry.")
    if files_being_written(connection, job.number):
        raise JobNotRetryable(f"A transcript of {job.job_id} is still being written; try again in a moment.")
    if job.cursor.listed and not has_files_to_retry(connection, job.number):
        raise JobNotRetryable(
            f"{job.job_id} has no file that could be retried; correct the request and submit a new job."
        )


def _check_workers(connection: Connection, job: Job, silent_sec: float) -> None:
    """Check that all live workers can retry jobs: one of an earlier release would end the job too early."""
    for worker in live_workers(connection, silent_sec=silent_sec):
        if job.lane in worker.lanes and not worker.can_read(RETRIES_JOBS):
            raise JobNotRetryable(
                f"The worker {worker.name} has an earlier release, which cannot retry jobs; upgrade it, then try again."
            )


def requeue_failed(job: Job, number: int, records: Records, check: Callable[[], None]) -> None:
    """Requeue the files of retry `number`, page by page. `check` raises `WorkInterrupted` to stop between two pages."""
    if number != job.retry_number:
        return
    while _requeue_page(job, records):
        check()


def _requeue_page(job: Job, records: Records) -> bool:
    """Requeue one page; return whether there may be more."""
    with records.transaction() as connection:
        lock_job(connection, job.number)
        at = position_of_retry(connection, job)
        if at is None:
            return False
        page = page_of_files_in(connection, job.number, TO_RETRY, after=at.after, limit=PAGE_FILES)
        if page:
            _store_page(connection, job, at, page, records)
            return True
        end_requeuing(connection, job)
        if not at.listed:
            records.flow.enqueue(connection, _task(ENUMERATE, job, job.cursor.seq, again=job.retry_number))
        elif is_complete(connection, job.number):
            records.flow.enqueue(connection, _task(FINISH, job, job.retry_number))
    return False


def _store_page(connection: Connection, job: Job, at: RetryPosition, page: list[File], records: Records) -> None:
    wanted = [file for file in page if file.output_uri]  # without a name for the transcript, a file fails again
    unknown = sum(1 for file in wanted if file.size_bytes is None)
    cutter = ShardCutter(at.last_shard + 1, speed=job.speed, unknown=unknown)
    shard_of = {file.seq: cutter.add(file.input_uri, file.size_bytes) for file in wanted}
    shards = range(at.last_shard + 1, cutter.next_shard)
    failed = [file for file in wanted if file.state is FileState.FAILED]
    advance_retry(
        connection,
        job,
        after=page[-1].seq,
        last_shard=at.last_shard + len(shards),
        failed=len(failed),
        estimated_sec=sum(estimated_audio_sec(file.input_uri, file.size_bytes or 0) for file in failed),
    )
    insert_shards(connection, job.number, shards)
    requeue_files(connection, job.number, shard_of)
    for shard in shards:
        records.flow.enqueue(connection, _task(SHARD, job, shard, engine=job.queue_key))


def _task(kind: str, job: Job, number: int, *, engine: str = "", again: int = 0) -> Task:
    return Task(kind, job.job_id, number, lane=job.lane, tenant=job.tenant, engine=engine, again=again)
