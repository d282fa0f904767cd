"""Queries on shards, the unit of durable work: at most 64 files under one engine task."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from batchscribe.database.tables import shard
from batchscribe.jobs.model import ShardState
from batchscribe.jobs.outcome import Outcome
from batchscribe.wire.states import FileState

#: The counter a file's final state adds to.
COUNTERS = {
    FileState.SUCCEEDED: shard.c.succeeded,
    FileState.FAILED: shard.c.failed,
    FileState.SKIPPED: shard.c.skipped,
}


# Built once: it runs for every file.
_COUNT = {
    state: sa.update(shard)
    .where(shard.c.job == sa.bindparam("of_job"), shard.c.number == sa.bindparam("of_number"))
    .values({counter: counter + 1, shard.c.audio_sec: shard.c.audio_sec + sa.bindparam("more_sec")})
    for state, counter in COUNTERS.items()
}


def insert_shards(connection: sa.Connection, job_number: int, numbers: Iterable[int]) -> None:
    rows = [{"job": job_number, "number": number, "state": ShardState.QUEUED} for number in numbers]
    if rows:
        connection.execute(sa.insert(shard), rows)


def begin_shard(connection: sa.Connection, job_number: int, number: int) -> bool:
    """Mark it running; False when it is already done."""
    return _move(connection, job_number, number, ShardState.RUNNING)


def end_shard(connection: sa.Connection, job_number: int, number: int) -> bool:
    """Mark it done; True for the one caller that did."""
    return _move(connection, job_number, number, ShardState.DONE)


def count_outcome(connection: sa.Connection, job_number: int, number: int, outcome: Outcome) -> None:
    connection.execute(
        _COUNT[outcome.state],
        {"of_job": job_number, "of_number": number, "more_sec": outcome.duration_sec or 0.0},
    )


def shards_in(connection: sa.Connection, job_number: int, state: ShardState) -> frozenset[int]:
    query = sa.select(shard.c.number).where(shard.c.job == job_number, shard.c.state == state)
    return frozenset(connection.scalars(query))


def _move(connection: sa.Connection, job_number: int, number: int, state: ShardState) -> bool:
    is_open = shard.c.state.in_((ShardState.QUEUED, ShardState.RUNNING))
    statement = sa.update(shard).where(shard.c.job == job_number, shard.c.number == number, is_open)
    return connection.execute(statement.values(state=state)).rowcount == 1
