"""Rows of workers and turns: the clock of the database decides who is live."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import sqlalchemy as sa

from batchscribe.database.bulk import UnixNow
from batchscribe.database.tables import turn, worker
from batchscribe.database.worker_rows import (
    PeriodicTask,
    claim_periodic_task,
    delete_workers,
    insert_worker,
    live_workers,
    renew,
    silent_workers,
    worker_ids,
    workers,
    workers_at_home,
)
from batchscribe.jobs.worker_record import WorkerState
from batchscribe.speech.capability import Capability
from tests.workers_on_record import a_worker

WHISPER = Capability(name="whisper", model="turbo", revision="1", languages=("en", "de"), speed=20.0, device="cuda")
ONE = a_worker(home="a:/data", engines=(WHISPER,))


def grow_old(connection: sa.Connection, worker_id: str, *, by_sec: float) -> None:
    connection.execute(
        sa.update(worker).where(worker.c.worker_id == worker_id).values(seen_at=worker.c.seen_at - by_sec)
    )


def test_the_clock_of_the_database_counts_unix_seconds(connection: sa.Connection) -> None:
    assert connection.scalar(sa.select(UnixNow())) == pytest.approx(time.time(), abs=60)


def test_a_worker_reads_back_as_it_enrolled(connection: sa.Connection) -> None:
    insert_worker(connection, ONE)
    [found] = workers(connection)
    assert replace(found, started_at=0.0, seen_at=0.0) == ONE
    assert found.seen_at == pytest.approx(time.time(), abs=60)


def test_a_worker_is_silent_until_its_next_heartbeat(connection: sa.Connection) -> None:
    insert_worker(connection, ONE)
    insert_worker(connection, replace(ONE, worker_id="two-2", name="two"))
    grow_old(connection, "one-1", by_sec=31)
    assert [each.name for each in silent_workers(connection, silent_sec=30)] == ["one"]
    assert [each.name for each in live_workers(connection, silent_sec=30)] == ["two"]
    assert renew(connection, "one-1", WorkerState.DRAINING) is not None
    assert [each.state for each in live_workers(connection, silent_sec=30)] == [
        WorkerState.DRAINING,
        WorkerState.WORKING,
    ]


def test_a_worker_reports_what_it_cannot_do_now(connection: sa.Connection) -> None:
    insert_worker(connection, replace(ONE, engines=(WHISPER, replace(WHISPER, name="pocketsphinx"))))
    renew(connection, "one-1", WorkerState.WORKING, {"whisper": "Its model is damaged."})
    [found] = workers(connection)
    assert [engine.name for engine in found.fit_engines] == ["pocketsphinx"]
    assert not found.is_unfit
    renew(connection, "one-1", WorkerState.WORKING, {"decoder": "There is no memory."})
    [found] = workers(connection)
    assert found.fit_engines == ()
    assert found.is_unfit
    renew(connection, "one-1", WorkerState.WORKING, {})
    [found] = workers(connection)
    assert found.fit_engines == found.engines


def test_a_row_of_another_release_is_read_as_far_as_it_is_understood(connection: sa.Connection) -> None:
    insert_worker(connection, ONE)
    strange = {"engines": [WHISPER.as_json(), {"name": "parakeet"}, 7], "state": "DREAMING", "lanes": ["main", 5]}
    connection.execute(sa.update(worker).values(strange | {"troubles": ["none"]}))
    [found] = workers(connection)
    assert (found.engines, found.lanes, found.troubles) == ((WHISPER,), ("main",), {})
    connection.execute(sa.update(worker).values(engines={"whisper": 1}, lanes="main"))
    [found] = workers(connection)
    assert (found.engines, found.lanes) == ((), ())


def test_a_dismissed_worker_learns_so_with_its_next_heartbeat(connection: sa.Connection) -> None:
    insert_worker(connection, ONE)
    delete_workers(connection, ["one-1"])
    assert renew(connection, "one-1", WorkerState.WORKING) is None
    assert worker_ids(connection) == set()


def test_predecessors_are_found_by_their_home(connection: sa.Connection) -> None:
    insert_worker(connection, ONE)
    insert_worker(connection, replace(ONE, worker_id="two-2", home="b:/data"))
    insert_worker(connection, replace(ONE, worker_id="three-3", home=None))
    assert workers_at_home(connection, "a:/data") == ["one-1"]


def test_a_turn_is_taken_once_in_its_time(connection: sa.Connection) -> None:
    assert claim_periodic_task(connection, PeriodicTask.REAP, every_sec=5)
    assert not claim_periodic_task(connection, PeriodicTask.REAP, every_sec=5)
    assert claim_periodic_task(connection, PeriodicTask.SWEEP, every_sec=5)
    connection.execute(sa.update(turn).values(taken_at=turn.c.taken_at - 6))
    assert claim_periodic_task(connection, PeriodicTask.REAP, every_sec=5)


def test_a_capability_travels_as_json() -> None:
    assert Capability.from_json(WHISPER.as_json()) == WHISPER
    assert WHISPER.understands("de-AT")
    assert not WHISPER.understands("fr-FR")
