"""The time that a job has worked, for the estimate of its end.

`begun_at` moves forward by every time in which nothing ran, so that a job that was interrupted over night, or whose
failed files are retried after a week, does not look slow.
"""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from batchscribe.database.tables import job, shard
from batchscribe.jobs.model import ShardState
from batchscribe.wire.choices import JobState

# A literal, not a parameter: see `job_rows`.
RUNNING = sa.and_(shard.c.job == job.c.number, shard.c.state == sa.literal_column(f"'{ShardState.RUNNING}'"))
_NOW: sa.BindParameter[float] = sa.bindparam("now", type_=sa.Double())

_OTHERS = sa.select(shard.c.number).where(RUNNING, shard.c.number != sa.bindparam("of_shard")).correlate(job).exists()


def last_change() -> sa.ColumnElement[Any]:
    """Return when a file of the job ended, or its work was resumed, also in running shards."""
    in_shards = sa.select(sa.func.max(shard.c.changed_at)).where(RUNNING).correlate(job).scalar_subquery()
    of_shards = sa.func.coalesce(in_shards, job.c.changed_at)
    return sa.case((of_shards > job.c.changed_at, of_shards), else_=sa.func.coalesce(job.c.changed_at, of_shards))


_RESUME = (
    sa.update(job)
    .where(
        job.c.number == sa.bindparam("of_job"),
        job.c.state == JobState.PROCESSING,
        sa.or_(~_OTHERS, sa.bindparam("is_repeated", type_=sa.Boolean())),
    )
    .values(
        begun_at=sa.case((last_change() < _NOW, job.c.begun_at + _NOW - last_change()), else_=job.c.begun_at),
        changed_at=sa.case((last_change() < _NOW, _NOW), else_=last_change()),
    )
)
_BEGIN = (
    sa.update(job)
    .where(job.c.number == sa.bindparam("of_job"), job.c.begun_at.is_(None))
    .values(begun_at=_NOW, changed_at=_NOW)
)


def resume_clock(connection: sa.Connection, job_number: int, shard_number: int, *, is_repeated: bool) -> None:
    """Start the clock of a job when one of its shards begins, or restart it after an interruption.

    There was an interruption if no other shard is running, or this one is begun again. If other workers have continued
    meanwhile, the last change was a moment ago, and nothing is left out.
    """
    moment = time.time()
    if connection.execute(_BEGIN, {"of_job": job_number, "now": moment}).rowcount == 0:
        values = {"of_job": job_number, "of_shard": shard_number, "now": moment, "is_repeated": is_repeated}
        connection.execute(_RESUME, values)
