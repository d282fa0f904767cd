"""Queries on shards, the unit of durable work: at most 64 files in one task."""

from __future__ import annotations

import time
from collections.abc import Iterable

import sqlalchemy as sa

from batchscribe.cost import Cost
from batchscribe.database.bulk import insert_rows
from batchscribe.database.job_clock import resume_clock
from batchscribe.database.job_rows import lock_job
from batchscribe.database.tables import shard
from batchscribe.database.waiting_rows import delete_waiting
from batchscribe.jobs.model import Outcome, ShardState
from batchscribe.wire.choices import FileState

#: The counter for each final state of a file.
COUNTERS = {
    FileState.SUCCEEDED: shard.c.succeeded,
    FileState.FAILED: shard.c.failed,
    FileState.SKIPPED: shard.c.skipped,
}


_ESTIMATES = {
    FileState.SUCCEEDED: shard.c.estimated_done_sec,
    FileState.FAILED: shard.c.estimated_lost_sec,
    FileState.SKIPPED: shard.c.estimated_lost_sec,
}
_MORE_COST = {
    shard.c.compute_sec: shard.c.compute_sec + sa.bindparam("more_compute_sec"),
    shard.c.bytes_in: shard.c.bytes_in + sa.bindparam("more_bytes"),
}
_IS_SHARD = (shard.c.job == sa.bindparam("of_job"), shard.c.number == sa.bindparam("of_number"))
# Built once, because it runs for every file.
_COUNT = {
    state: sa.update(shard)
    .where(*_IS_SHARD)
    .values(
        {
            counter: counter + 1,
            shard.c.audio_sec: shard.c.audio_sec + sa.bindparam("more_sec"),
            shard.c.extra_attempts: shard.c.extra_attempts + sa.bindparam("more_attempts"),
            _ESTIMATES[state]: _ESTIMATES[state] + sa.bindparam("more_estimated_sec"),
            shard.c.changed_at: sa.bindparam("now"),
            **_MORE_COST,
        }
    )
    for state, counter in COUNTERS.items()
}
_ADD_COST = sa.update(shard).where(*_IS_SHARD, shard.c.state == ShardState.RUNNING).values(_MORE_COST)


def insert_shards(connection: sa.Connection, job_number: int, numbers: Iterable[int]) -> None:
    rows = [{"job": job_number, "number": number, "state": ShardState.QUEUED} for number in numbers]
    insert_rows(connection, shard, rows)


def begin_shard(connection: sa.Connection, job_number: int, number: int) -> int | None:
    """Mark the shard as running; return the run number, or None if it is done. Earlier runs can claim no more files."""
    lock_job(connection, job_number)
    statement = _open(job_number, number).values(state=ShardState.RUNNING, run=shard.c.run + 1)
    run: int | None = connection.execute(statement.returning(shard.c.run)).scalar()
    if run is not None:
        resume_clock(connection, job_number, number, is_repeated=run > 1)
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


def count_outcome(
    connection: sa.Connection,
    job_number: int,
    number: int,
    outcome: Outcome,
    *,
    extra_attempts: int = 0,
    estimated_sec: float = 0.0,
) -> None:
    """Add to the shard's counters. `estimated_sec` is the part of the file in the estimate of the job's audio."""
    values = {
        "more_sec": outcome.duration_sec or 0.0,
        "more_attempts": extra_attempts,
        "more_estimated_sec": estimated_sec,
        "now": time.time(),
    }
    connection.execute(_COUNT[outcome.state], values | _parameters(job_number, number, outcome.cost))


def add_cost(connection: sa.Connection, job_number: int, number: int, cost: Cost) -> bool:
    """Add the cost of an attempt without an outcome; return False if the shard is not running."""
    return connection.execute(_ADD_COST, _parameters(job_number, number, cost)).rowcount == 1


def _parameters(job_number: int, number: int, cost: Cost) -> dict[str, float]:
    return {
        "of_job": job_number,
        "of_number": number,
        "more_compute_sec": cost.compute_sec,
        "more_bytes": cost.bytes_in,
    }


def shards_in(connection: sa.Connection, job_number: int, state: ShardState) -> frozenset[int]:
    query = sa.select(shard.c.number).where(shard.c.job == job_number, shard.c.state == state)
    return frozenset(connection.scalars(query))


def _open(job_number: int, number: int) -> sa.Update:
    is_open = shard.c.state.in_((ShardState.QUEUED, ShardState.RUNNING))
    return sa.update(shard).where(shard.c.job == job_number, shard.c.number == number, is_open)
