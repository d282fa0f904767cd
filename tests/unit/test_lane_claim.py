"""The claim of a lane: one live process at a time, even if several start at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
import sqlalchemy as sa

from batchscribe.database.bulk import UnixNow
from batchscribe.database.tables import worker
from batchscribe.database.worker_rows import insert_worker, worker_ids
from batchscribe.errors import AlreadyRunning
from batchscribe.jobs.worker_record import WorkerRecord
from batchscribe.worker.lane_claim import check_lane, claim_lanes
from tests.workers_on_record import a_worker

LANE = "watch_1"
ME = a_worker("me", host="here", home="here:/data", lanes=(LANE,))
OTHER = replace(ME, worker_id="other-1", host="there", pid=4711, home="there:/data")


def claim(engine: sa.Engine, me: WorkerRecord) -> list[str]:
    with engine.begin() as connection:
        dead = claim_lanes(connection, me, silent_sec=30)
        insert_worker(connection, me)
    return dead


def enter(engine: sa.Engine, found: WorkerRecord, *, silent_for_sec: float = 0) -> None:
    with engine.begin() as connection:
        insert_worker(connection, found)
        row = sa.update(worker).where(worker.c.worker_id == found.worker_id)
        connection.execute(row.values(seen_at=UnixNow() - silent_for_sec))


def test_a_live_process_holds_its_lane_and_is_named(engine: sa.Engine) -> None:
    enter(engine, OTHER, silent_for_sec=10)
    with pytest.raises(AlreadyRunning) as caught:
        claim(engine, ME)
    assert caught.value.message.startswith("Process 4711 on there has been watching this for the same output since ")
    assert caught.value.message.endswith(
        " UTC. Its last heartbeat was 10 s ago. Stop it first. If it no longer runs, try again in 20 s."
    )
    with engine.begin() as connection, pytest.raises(AlreadyRunning, match="4711"):
        check_lane(connection, LANE, home="here:/data", silent_sec=30)


def test_a_silent_process_loses_its_lane_and_its_row(engine: sa.Engine) -> None:
    enter(engine, OTHER, silent_for_sec=31)
    assert claim(engine, ME) == ["other-1"]
    with engine.begin() as connection:
        assert worker_ids(connection) == {"me-1"}
        with pytest.raises(AlreadyRunning, match="Process 7 on here"):
            claim_lanes(connection, OTHER, silent_sec=30)


def test_the_predecessor_in_the_same_data_directory_is_dead(engine: sa.Engine) -> None:
    enter(engine, replace(OTHER, home=ME.home))
    assert claim(engine, ME) == []
    with engine.begin() as connection:
        check_lane(connection, LANE, home="here:/data", silent_sec=30)


def test_other_lanes_are_free(engine: sa.Engine) -> None:
    enter(engine, replace(OTHER, lanes=("main", "watch_2")))
    assert claim(engine, ME) == []


def test_of_several_that_start_at_the_same_moment_one_gets_the_lane(engine: sa.Engine) -> None:
    starters = 6
    start = Barrier(starters)

    def try_to_claim(number: int) -> bool:
        start.wait()
        try:
            claim(engine, replace(ME, worker_id=f"w-{number}", home=f"m{number}:/data"))
        except AlreadyRunning:
            return False
        return True

    with ThreadPoolExecutor(starters) as threads:
        assert sum(threads.map(try_to_claim, range(starters))) == 1
