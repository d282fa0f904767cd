"""Queries for the retry of an ended job: it opens again, and its failed files go to new shards, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from batchscribe.database.bulk import lock_rows
from batchscribe.database.job_counters import add_shard_counters
from batchscribe.database.shard_rows import shards_in
from batchscribe.database.tables import checkpoint, file, job, shard
from batchscribe.jobs.model import RETRYABLE_JOB_STATES, Job, ShardState
from batchscribe.wire.choices import FileState, JobState

#: The states of files that a retry requeues. The last two are those of a job that failed before its end.
TO_RETRY = (FileState.FAILED, FileState.QUEUED, FileState.PROCESSING)


@dataclass(frozen=True, slots=True)
class RetryPosition:
    """How far the retry of a job has come."""

    after: int  #: the number of the last file that was looked at
    last_shard: int
    listed: bool


def has_files_to_retry(connection: sa.Connection, job_number: int) -> bool:
    """Return whether any file without a transcript has a name for one."""
    found = sa.select(file.c.seq).where(file.c.job == job_number, file.c.state.in_(TO_RETRY), file.c.output_uri != "")
    return connection.scalar(found.limit(1)) is not None


def reopen_job(connection: sa.Connection, item: Job) -> bool:
    """Set an ended job to PROCESSING; return False if it has changed since it was read.

    It gets a new version of credentials, so that earlier tasks that waited for fresh ones have no effect.
    """
    ended = (job.c.number == item.number, job.c.retry_number == item.retry_number, job.c.deleted_at.is_(None))
    values = {
        "state": JobState.PROCESSING,
        "completed_at": None,
        "error_code": None,
        "error_message": None,
        "retry_number": job.c.retry_number + 1,
        "retry_after": 0,
        "credentials_version": job.c.credentials_version + 1,
    }
    statement = sa.update(job).where(*ended, job.c.state.in_(RETRYABLE_JOB_STATES)).values(values)
    return connection.execute(statement).rowcount == 1


def close_shards(connection: sa.Connection, job_number: int) -> None:
    """Close the shards that were open when the job ended, so that their workers can claim and commit nothing more."""
    # First, because it waits for commits that are in progress, and they count in their shard.
    in_progress = (file.c.job == job_number, file.c.state == FileState.PROCESSING)
    lock_rows(connection, sa.select(file.c.seq).where(*in_progress).order_by(file.c.seq))
    connection.execute(sa.update(file).where(*in_progress).values(state=FileState.QUEUED, shard=None))
    open_shards = sa.update(shard).where(shard.c.job == job_number)
    closed = {"state": ShardState.DONE, "run": shard.c.run + 1}
    for number in shards_in(connection, job_number, ShardState.RUNNING):
        connection.execute(open_shards.where(shard.c.number == number).values(closed))
        add_shard_counters(connection, job_number, number)
    waiting = connection.execute(open_shards.where(shard.c.state == ShardState.QUEUED).values(closed)).rowcount
    done = sa.update(job).where(job.c.number == job_number)
    connection.execute(done.values(shards_done=job.c.shards_done + waiting))


def position_of_retry(connection: sa.Connection, item: Job) -> RetryPosition | None:
    """Return the position; None if this retry is over."""
    row = connection.execute(sa.select(job.c.retry_after, job.c.last_shard, job.c.listed).where(*_is_going_on(item)))
    found = row.first()
    return None if found is None else RetryPosition(found.retry_after, found.last_shard, found.listed)


def requeue_files(connection: sa.Connection, job_number: int, shard_of: Mapping[int, int]) -> None:
    """Move files, given by their numbers, to new shards, as if they had never been tried.

    Digests of what they may have written are kept, so that they recognize their own transcripts.
    """
    by_shard: dict[int, list[int]] = {}
    for seq, number in shard_of.items():
        by_shard.setdefault(number, []).append(seq)
    fresh: dict[str, Any] = dict.fromkeys(("duration_sec", "error_code", "error_message", "warnings"), None)
    for number, files in by_shard.items():
        moved = sa.update(file).where(file.c.job == job_number, file.c.seq.in_(files), file.c.state.in_(TO_RETRY))
        connection.execute(moved.values(shard=number, state=FileState.QUEUED, attempt=0, **fresh))
    _delete_checkpoints(connection, job_number, shard_of)


def _delete_checkpoints(connection: sa.Connection, job_number: int, files: Iterable[int]) -> None:
    """An earlier attempt may have stored them after the job ended."""
    of_files = sa.delete(checkpoint).where(checkpoint.c.job == job_number, checkpoint.c.seq.in_(list(files)))
    connection.execute(of_files)


def advance_retry(
    connection: sa.Connection, item: Job, *, after: int, last_shard: int, failed: int, estimated_sec: float
) -> None:
    """Move the position past a page. `failed` of its files had failed, with audio of estimated `estimated_sec`."""
    lost_sec = job.c.estimated_lost_sec - estimated_sec
    values = {
        "retry_after": after,
        "last_shard": last_shard,
        "failed": job.c.failed - failed,
        "extra_attempts": job.c.extra_attempts + failed,
        "estimated_lost_sec": sa.case((lost_sec > 0, lost_sec), else_=0.0),
    }
    connection.execute(sa.update(job).where(*_is_going_on(item)).values(values))


def end_requeuing(connection: sa.Connection, item: Job) -> None:
    """Record that all files are requeued. From now on, the job may end."""
    connection.execute(sa.update(job).where(*_is_going_on(item)).values(retry_after=None))


def _is_going_on(item: Job) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        job.c.number == item.number,
        job.c.state == JobState.PROCESSING,
        job.c.retry_number == item.retry_number,
        job.c.retry_after.is_not(None),
    )
