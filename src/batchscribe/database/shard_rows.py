"""Queries on shards, the unit of durable work: at most 64 files in one task."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from batchscribe.database.bulk import insert_rows
from batchscribe.database.tables import job, shard
from batchscribe.database.waiting_rows import delete_waiting
from batchscribe.jobs.model import Outcome, ShardState
from batchscribe.wire.choices import FileState, JobState

#: The counter for each final state of a file.
COUNTERS = {
    FileState.SUCCEEDED: shard.c.succeeded,
    FileState.FAILED: shard.c.failed,
    FileState.SKIPPED: shard.c.skipped,
}


# Built once, because it runs for every file.
_COUNT = {
    state: sa.update(shard)
    .where(shard.c.job == sa.bindparam("of_job"), shard.c.number == sa.bindparam("of_number"))
    .values({counter: counter + 1, shard.c.audio_sec: shard.c.audio_sec + sa.bindparam("more_sec")})
    .returning(sa.select(job.c.state).where(job.c.number == sa.bindparam("of_job")).scalar_subquery())
    for state, counter in COUNTERS.items()
}


def insert_shards(connection: sa.Connection, job_number: int, numbers: Iterable[int]) -> None:
    rows = [{"job": job_number, "number": number, "state": ShardState.QUEUED} for number in numbers]
    insert_rows(connection, shard, rows)


def begin_shard(connection: sa.Connection, job_number: int, number: int) -> int | None:
    """Mark the shard as running; return the run number, or None if it is done. Earlier runs can claim no more files."""
    statement = _open(job_number, number).values(state=ShardState.RUNNING, run=shard.c.run + 1)
    run: int | None = connection.execute(statement.returning(shard.c.run)).scalar()
    delete_waiting(connection, job_number, number)  # an earlier run may have left the row
    return run


def is_latest_run(connection: sa.Connection, job_number: int, number: int, run: int) -> bool:
    """Return whether no other worker has begun the shard since."""
    latest = sa.select(shard.c.run).where(shard.c.job == job_number, shard.c.number == number)
    return connection.scalar(latest) == run


def end_shard(connection: sa.Connection, job_number: int, number: int, *, run: int) -> bool:
    """Mark the shard as done; return True only for the call that did so, from the latest run."""
    statement = _open(job_number, number).where(shard.c.run == run)
    return connection.execute(statement.values(state=ShardState.DONE)).rowcount == 1


def count_outcome(connection: sa.Connection, job_number: int, number: int, outcome: Outcome) -> bool:
    """Add to the shard's counters; return whether the job is still in PROCESSING."""
    counted = connection.execute(
        _COUNT[outcome.state],
        {"of_job": job_number, "of_number": number, "more_sec": outcome.duration_sec or 0.0},
    )
    return counted.scalar() == JobState.PROCESSING


def shards_in(connection: sa.Connection, job_number: int, state: ShardState) -> frozenset[int]:
    query = sa.select(shard.c.number).where(shard.c.job == job_number, shard.c.state == state)
    return frozenset(connection.scalars(query))


def _open(job_number: int, number: int) -> sa.Update:
    is_open = shard.c.state.in_((ShardState.QUEUED, ShardState.RUNNING))
    return sa.update(shard).where(shard.c.job == job_number, shard.c.number == number, is_open)
