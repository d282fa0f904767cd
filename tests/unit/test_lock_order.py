"""Transactions that change the same job never wait for each other in a circle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Barrier, BrokenBarrierError

import pytest
import sqlalchemy as sa

from batchscribe.cost import Cost
from batchscribe.database.checkpoint_rows import CheckpointPart, add_part
from batchscribe.database.delivery_rows import insert_delivery
from batchscribe.database.file_rows import begin_write, requeue
from batchscribe.database.job_clock import resume_clock
from batchscribe.database.job_counters import add_lost_cost, add_shard_counters, count_unfinished_usage
from batchscribe.database.job_rows import end_job, get_job, is_complete, lock_job
from batchscribe.database.shard_rows import begin_shard, end_shard
from batchscribe.database.tables import shard
from batchscribe.jobs.model import WrittenTranscript
from batchscribe.outbound.policy import Policy
from batchscribe.stages.deliver import Schedule, deliver
from batchscribe.stages.finish import end_within
from batchscribe.stages.purge import delete_job, purge_job
from batchscribe.stages.settle import record_outcome, settle_abandoned, settle_shard
from batchscribe.webhooks.sender import Sender
from batchscribe.wire.choices import JobState
from tests.lock_order import checked_lock_order
from tests.unit.test_retry_rows import FAILED, SUCCEEDED, RetriedFiles

on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite has a single lock
PART = CheckpointPart(1, 1, "i", "k", b"s")
COSTLY = replace(FAILED, cost=Cost(1.0, 10))

Step = Callable[[sa.Connection], object]


@pytest.fixture
def rows(engine: sa.Engine) -> RetriedFiles:
    return RetriedFiles(engine)


@pytest.fixture
def locked(engine: sa.Engine, rows: RetriedFiles) -> Iterator[list[list[str]]]:
    with checked_lock_order(engine) as transactions:
        yield transactions


def close(rows: RetriedFiles, number: int = 1, run: int | None = None) -> None:
    """As a worker closes a shard: see `_close` in stages/shard.py."""
    with rows.engine.begin() as connection:
        lock_job(connection, rows.job.number)
        assert end_shard(connection, rows.job.number, number, run=run or rows.run)
        add_shard_counters(connection, rows.job.number, number)
        is_complete(connection, rows.job.number)


def end(rows: RetriedFiles, state: JobState) -> None:
    with rows.engine.begin() as connection:
        assert end_within(connection, rows.reread(connection), state, rows.records) is not None


@on_postgresql
def test_every_transaction_of_a_job_locks_in_the_documented_order(rows: RetriedFiles, locked: list[list[str]]) -> None:
    interrupted = rows.claimed(1)
    with rows.engine.begin() as connection:
        assert add_part(connection, interrupted, PART)
        requeue(connection, interrupted)
    with rows.engine.begin() as connection:
        add_lost_cost(connection, rows.job, 1, Cost(1.0, 10))
    assert record_outcome(rows.job, rows.claimed(2), COSTLY, rows.records)
    written = rows.claimed(3)
    with rows.engine.begin() as connection:
        assert begin_write(connection, written, WrittenTranscript(10.0, (), ("digest",)))
    end(rows, JobState.FAILED)
    assert record_outcome(rows.job, written, SUCCEEDED, rows.records)
    rows.retry()
    rows.requeue()
    with rows.engine.begin() as connection:
        run = begin_shard(connection, rows.job.number, 2)
    assert run is not None
    again = rows.claimed(1, run=run)
    with rows.engine.begin() as connection:
        assert begin_write(connection, again, WrittenTranscript(10.0, (), ("digest",)))
    settle_shard(rows.job, 2, run, rows.records, lambda *_: None)
    with rows.engine.begin() as connection:
        assert begin_write(connection, again, WrittenTranscript(10.0, (), ("digest",)))
        insert_delivery(connection, rows.job.number, event_id="evt_1", event_type="", payload=b"", moment=0.0)
    end(rows, JobState.CANCELED)
    settle_abandoned(rows.job, 2, rows.records, lambda *_: SUCCEEDED)
    with rows.engine.begin() as connection:
        add_lost_cost(connection, rows.job, 1, Cost(1.0, 10))
    deliver(1, rows.records, Sender(Policy()), Schedule(1.0, 1.0))
    delete_job(rows.job, rows.records)
    purge_job(rows.job, rows.records, lambda: None)
    assert ["job", "file", "checkpoint", "shard", "usage_day"] in locked


def race(engine: sa.Engine, first: tuple[Step, Step], second: tuple[Step, Step]) -> None:
    """Run two transactions whose first steps are both over before either second step begins, if they can be."""
    both = Barrier(2)

    def run(steps: tuple[Step, Step]) -> None:
        with engine.begin() as connection:
            steps[0](connection)
            with suppress(BrokenBarrierError):  # the other one waits for this one
                both.wait(timeout=1)
            steps[1](connection)

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(run, steps) for steps in (first, second)]:
            future.result(timeout=60)


@on_postgresql
def test_a_shard_begins_again_while_its_job_is_canceled(engine: sa.Engine, rows: RetriedFiles) -> None:
    with engine.begin() as connection:
        item = get_job(connection, rows.job.job_id)
    ends: tuple[Step, Step] = (
        lambda connection: end_job(connection, item, JobState.CANCELED),
        lambda connection: count_unfinished_usage(connection, item),
    )
    begins: tuple[Step, Step] = (
        lambda connection: begin_shard(connection, item.number, 1),
        lambda connection: resume_clock(connection, item.number, 1, is_repeated=True),
    )
    race(engine, ends, begins)


@on_postgresql
def test_an_outcome_that_is_counted_after_the_end_of_its_job_is_in_the_usage(
    engine: sa.Engine, rows: RetriedFiles
) -> None:
    """The end of the job has read the counters, and has not committed yet."""
    held = rows.claimed(1)
    counted: list[bool] = []
    with ThreadPoolExecutor(1) as thread:
        with engine.begin() as connection:
            assert end_within(connection, rows.reread(connection), JobState.FAILED, rows.records) is not None
            future = thread.submit(record_outcome, rows.job, held, COSTLY, rows.records)
            with pytest.raises(TimeoutError):
                future.result(timeout=0.5)  # waits for the row of the shard
        counted.append(future.result(timeout=60))
    assert counted == [False], "the job has ended, so the file stays as it was"
    with engine.begin() as connection:
        assert connection.scalar(sa.select(shard.c.failed)) == 0
