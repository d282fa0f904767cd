"""Queries for the deletion of jobs: a job is hidden at once, and its rows are deleted step by step.

A step deletes a bounded number of rows, so that no transaction holds its locks for long.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from batchscribe.database.tables import (
    checkpoint,
    file,
    idempotency,
    job,
    secret,
    shard,
    speaker_name,
    transcript_segment,
    waiting,
    waveform,
    webhook_attempt,
    webhook_delivery,
)
from batchscribe.jobs.model import FINAL_JOB_STATES
from batchscribe.wire.choices import DeliveryState

#: The tables with many rows of a job, in the order in which they are emptied, and the column that divides their rows
#: into steps. The table of shards is last: a worker that ends a file of the job finds either both rows or none.
ROWS_OF_JOB: tuple[tuple[sa.Table, sa.Column[int]], ...] = (
    (transcript_segment, transcript_segment.c.seq),
    (waveform, waveform.c.seq),
    (speaker_name, speaker_name.c.seq),
    (checkpoint, checkpoint.c.seq),
    (waiting, waiting.c.number),
    (file, file.c.seq),
    (shard, shard.c.number),
)


@dataclass(frozen=True, slots=True)
class DeletedJob:
    """What the deletion of a job needs to know. A row that a newer release wrote can be deleted, too."""

    number: int
    job_id: str
    tenant: str
    lane: str

    @property
    def has_own_lane(self) -> bool:
        """Whether it is a job of the command line."""
        return self.lane == self.job_id


_DELETED = sa.select(job.c.number, job.c.job_id, job.c.tenant, job.c.lane)


def hide_job(connection: sa.Connection, number: int) -> bool:
    """Hide an ended job from everybody; return False if it is hidden already or has not ended.

    Its secrets and webhook events are deleted at once, and its idempotency key can be used again.
    """
    ended = (job.c.number == number, job.c.deleted_at.is_(None), job.c.state.in_(FINAL_JOB_STATES))
    hidden = sa.update(job).where(*ended).values(deleted_at=time.time()).returning(job.c.job_id)
    job_id = connection.scalar(hidden)
    if job_id is None:
        return False
    delete_secrets_of(connection, number)
    deliveries = sa.select(webhook_delivery.c.number).where(webhook_delivery.c.job == number)
    connection.execute(sa.delete(webhook_attempt).where(webhook_attempt.c.delivery.in_(deliveries)))
    connection.execute(sa.delete(webhook_delivery).where(webhook_delivery.c.job == number))
    connection.execute(sa.delete(idempotency).where(idempotency.c.job_id == job_id))
    return True


def delete_secrets_of(connection: sa.Connection, number: int) -> None:
    """Delete all secrets of a job, also those that people entered to read its transcripts."""
    connection.execute(sa.delete(secret).where(secret.c.job == number))


def is_hidden(connection: sa.Connection, number: int) -> bool:
    return connection.scalar(sa.select(job.c.deleted_at).where(job.c.number == number)) is not None


def delete_some_rows(connection: sa.Connection, number: int, *, limit: int) -> bool:
    """Delete up to `limit` rows of a hidden job, or all those of one file; return False if none is left."""
    for table, column in ROWS_OF_JOB:
        of_job = table.c.job == number
        first = sa.select(column).where(of_job).order_by(column).limit(limit).subquery()
        last = connection.scalar(sa.select(sa.func.max(first.c[column.name])))
        if last is not None:
            connection.execute(sa.delete(table).where(of_job, column <= last))
            return True
    return False


def delete_job_row(connection: sa.Connection, number: int) -> None:
    """Delete the row of a job. The foreign keys delete what was added to it meanwhile."""
    connection.execute(sa.delete(job).where(job.c.number == number, job.c.deleted_at.is_not(None)))


def jobs_hidden_before(connection: sa.Connection, moment: float, *, limit: int) -> list[DeletedJob]:
    """Return jobs hidden before this time, in Unix seconds, that still have rows."""
    hidden = _DELETED.where(job.c.deleted_at.is_not(None), job.c.deleted_at < moment)
    return _deleted(connection, hidden.order_by(job.c.number).limit(limit))


def jobs_ended_before(connection: sa.Connection, moment: float, *, limit: int) -> list[DeletedJob]:
    """Return jobs that ended before this time, in Unix seconds, oldest first. Those with a pending webhook wait."""
    is_pending = webhook_delivery.c.state == DeliveryState.PENDING
    pending = sa.exists().where(webhook_delivery.c.job == job.c.number, is_pending)
    ended = _DELETED.where(job.c.completed_at < moment, job.c.deleted_at.is_(None), ~pending)
    return _deleted(connection, ended.order_by(job.c.completed_at).limit(limit))


def _deleted(connection: sa.Connection, query: sa.Select[Any]) -> list[DeletedJob]:
    return [DeletedJob(*row) for row in connection.execute(query)]
