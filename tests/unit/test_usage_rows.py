"""What jobs and tenants used: counters of shards, jobs and days agree, whatever ends first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain

import pytest
import sqlalchemy as sa

from batchscribe.cost import Cost
from batchscribe.database.job_clock import resume_clock
from batchscribe.database.job_counters import add_lost_cost, add_shard_counters, count_unfinished_usage
from batchscribe.database.job_rows import (
    begin_job,
    end_job,
    get_job,
    insert_job,
    newest_jobs,
    page_of_jobs,
)
from batchscribe.database.shard_rows import begin_shard, count_outcome, end_shard, insert_shards
from batchscribe.database.tables import job, shard, usage_day
from batchscribe.database.usage_rows import Usage, UsageDay, add_usage, total_usage, usage_by_day
from batchscribe.errors import CorruptMedia
from batchscribe.jobs.model import Job, Outcome
from batchscribe.wire.choices import JobState
from tests.jobs_on_record import a_job, stored_job
from tests.statements import statements_of

GOOD = Outcome.succeeded(duration_sec=30.0)
BAD = Outcome.failed(CorruptMedia("bad"))
MOMENT = 1_800_000_000.0


def costing(outcome: Outcome, compute_sec: float, bytes_in: int) -> Outcome:
    return Outcome(
        outcome.state,
        outcome.duration_sec,
        outcome.error_code,
        outcome.error_message,
        cost=Cost(compute_sec, bytes_in),
    )


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: float) -> None:
    monkeypatch.setattr("time.time", lambda: moment)


def used(read: Job) -> tuple[float, int, int]:
    return read.compute_sec, read.bytes_in, read.extra_attempts


def end_first_shard(connection: sa.Connection, item: Job) -> None:
    assert end_shard(connection, item.number, 1, run=1)
    add_shard_counters(connection, item.number, 1)


def test_a_failed_file_costs_too_and_a_job_shows_it_before_and_after_its_shard_ends(connection: sa.Connection) -> None:
    item = stored_job(connection, files=2)
    begin_shard(connection, item.number, 1)
    count_outcome(connection, item.number, 1, costing(GOOD, 4.0, 1000), extra_attempts=2, estimated_sec=20.0)
    count_outcome(connection, item.number, 1, costing(BAD, 0.5, 10), estimated_sec=7.0)
    running = get_job(connection, item.job_id)
    assert used(running) == (4.5, 1010, 2)
    assert type(running.bytes_in) is int, "the sum of big integers is a Decimal on PostgreSQL"
    assert (running.progress.estimated_done_sec, running.progress.estimated_lost_sec) == (20.0, 7.0)
    end_first_shard(connection, item)
    ended = get_job(connection, item.job_id)
    assert used(ended) == used(running)
    assert ended.progress == running.progress


def test_the_usage_of_a_day_grows_when_shards_end(connection: sa.Connection) -> None:
    item = stored_job(connection, files=2)
    begin_shard(connection, item.number, 1)
    count_outcome(connection, item.number, 1, costing(GOOD, 4.0, 1000))
    add_lost_cost(connection, item, 1, Cost(1.0, 5))
    assert total_usage(connection, "default") == Usage()
    end_first_shard(connection, item)
    today = datetime.now(UTC).date()
    wanted = Usage(files=1, audio_sec=30.0, compute_sec=5.0, bytes_in=1005)
    assert usage_by_day(connection, "default", today - timedelta(days=1)) == [UsageDay(today, wanted)]
    assert total_usage(connection, "default") == wanted
    assert total_usage(connection, "other") == Usage()


def test_a_job_that_ends_before_its_shards_is_counted_once(connection: sa.Connection) -> None:
    item = stored_job(connection, files=2)
    begin_shard(connection, item.number, 1)
    count_outcome(connection, item.number, 1, costing(GOOD, 4.0, 1000))
    end_job(connection, item, JobState.CANCELED)
    count_unfinished_usage(connection, item)
    wanted = Usage(files=1, audio_sec=30.0, compute_sec=4.0, bytes_in=1000)
    assert total_usage(connection, "default") == wanted
    add_lost_cost(connection, item, 1, Cost(1.0, 1))
    wanted = replace(wanted, compute_sec=5.0, bytes_in=1001)
    assert total_usage(connection, "default") == wanted
    end_first_shard(connection, item)
    assert total_usage(connection, "default") == wanted


def test_an_attempt_that_outlives_its_shard_costs_too(connection: sa.Connection) -> None:
    item = stored_job(connection, files=2)
    begin_shard(connection, item.number, 1)
    end_first_shard(connection, item)
    add_lost_cost(connection, item, 1, Cost(500.0, 7))
    assert total_usage(connection, "default") == Usage(compute_sec=500.0, bytes_in=7)
    assert used(get_job(connection, item.job_id)) == (500.0, 7, 0)


def test_a_shard_in_which_no_file_ended_leaves_the_clock_alone(connection: sa.Connection) -> None:
    item = stored_job(connection, files=2)
    begin_shard(connection, item.number, 1)
    before = get_job(connection, item.job_id).progress
    end_first_shard(connection, item)
    assert before.changed_at is not None
    assert get_job(connection, item.job_id).progress == before


def test_days_are_listed_from_the_oldest_within_bounds(connection: sa.Connection) -> None:
    days = [date(2026, 3, day) for day in (1, 2, 5, 9)]
    for number, day in enumerate(days, 1):
        values = {"files": number, "audio_sec": 0.0, "compute_sec": 0.0, "bytes_in": 2**40}
        connection.execute(sa.insert(usage_day).values(tenant="a", day=day, **values))
    found = usage_by_day(connection, "a", date(2026, 3, 2), date(2026, 3, 5))
    assert [(each.day.day, each.usage.files) for each in found] == [(2, 2), (5, 3)]
    assert total_usage(connection, "a") == Usage(files=10, bytes_in=4 * 2**40)
    add_usage(connection, "a", Usage(files=1))
    assert total_usage(connection, "a").files == 11


def test_only_the_own_jobs_of_a_tenant_count_as_ahead(connection: sa.Connection) -> None:
    for number, (tenant, lane) in enumerate([("a", "main"), ("b", "main"), ("a", "main"), ("a", "own"), ("a", "main")]):
        insert_job(connection, a_job(job_id=f"job_{number}", tenant=tenant, lane=lane), fingerprint="f")
    assert position(connection, 4) == 3
    assert position(connection, 1) == 1
    assert position(connection, 3) == 1
    begin_job(connection, get_job(connection, "job_0"))
    assert position(connection, 2) == 2, "a job in progress is unfinished, too"
    assert position(connection, 0) is None
    end_job(connection, get_job(connection, "job_0"), JobState.CANCELED)
    assert position(connection, 2) == 1


def test_a_page_of_jobs_has_the_same_positions(connection: sa.Connection) -> None:
    lanes = [("a", "main"), ("b", "main"), ("a", "main"), ("a", "own"), ("a", "main"), ("a", "main"), ("a", "own")]
    for number, (tenant, lane) in enumerate(lanes):
        insert_job(connection, a_job(job_id=f"job_{number}", tenant=tenant, lane=lane), fingerprint="f")
    begin_job(connection, get_job(connection, "job_4"))
    end_job(connection, get_job(connection, "job_2"), JobState.CANCELED)
    pages = [newest_jobs(connection, limit=10), newest_jobs(connection, limit=2)]
    for state in (None, JobState.QUEUED):
        pages.append(page_of_jobs(connection, "a", before=None, limit=10, state=state)[0])
        pages.append(page_of_jobs(connection, "a", before=6, limit=2, state=state)[0])
    for each in chain(*pages):
        assert each.progress.queue_position == get_job(connection, each.job_id).progress.queue_position
    assert [each.progress.queue_position for each in pages[0]] == [2, 3, None, 1, None, 1, 1]


def test_a_page_of_queued_jobs_counts_those_ahead_only_once(engine: sa.Engine) -> None:
    """With 20,000 queued jobs, each row of the page would count up to 20,000."""
    with engine.begin() as connection:
        for number in range(20):
            insert_job(connection, a_job(job_id=f"job_{number}"), fingerprint="f")
    with engine.begin() as connection, statements_of(engine) as run:
        page, _ = page_of_jobs(connection, "default", before=None, limit=10)
    assert [each.progress.queue_position for each in page] == list(range(20, 10, -1))
    assert [statement.count(" ahead") for statement in run] == [0, 0, 0, 0]


def position(connection: sa.Connection, number: int) -> int | None:
    return get_job(connection, f"job_{number}").answer().progress.queue_position


# --- the clock -------------------------------------------------------------------------------------------------


def worked_sec(connection: sa.Connection, item: Job) -> float:
    progress = get_job(connection, item.job_id).progress
    return (progress.changed_at or 0.0) - (progress.begun_at or 0.0)


def test_a_night_without_a_worker_is_no_work(connection: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    item = stored_job(connection, files=4)
    set_clock(monkeypatch, MOMENT)
    begin_shard(connection, item.number, 1)
    set_clock(monkeypatch, MOMENT + 60)
    count_outcome(connection, item.number, 1, GOOD, estimated_sec=10.0)
    before = get_job(connection, item.job_id).answer(now=MOMENT + 60).progress
    set_clock(monkeypatch, MOMENT + 40_000)
    begin_shard(connection, item.number, 1)
    after = get_job(connection, item.job_id).answer(now=MOMENT + 40_000).progress
    assert after == before
    assert after.eta_sec is not None
    set_clock(monkeypatch, MOMENT + 40_060)
    count_outcome(connection, item.number, 1, GOOD, estimated_sec=10.0)
    assert worked_sec(connection, item) == 120


def test_a_shard_that_begins_again_while_others_run_leaves_nothing_out(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = stored_job(connection, files=4)
    insert_shards(connection, item.number, [2])
    set_clock(monkeypatch, MOMENT)
    begin_shard(connection, item.number, 1)
    begin_shard(connection, item.number, 2)
    set_clock(monkeypatch, MOMENT + 30)
    count_outcome(connection, item.number, 2, GOOD)
    begin_shard(connection, item.number, 1)  # its worker died
    assert worked_sec(connection, item) == 30


def test_a_new_shard_beside_a_long_recording_does_not_stop_the_clock(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = stored_job(connection, files=4)
    insert_shards(connection, item.number, [2])
    set_clock(monkeypatch, MOMENT)
    begin_shard(connection, item.number, 1)
    set_clock(monkeypatch, MOMENT + 3600)
    begin_shard(connection, item.number, 2)
    count_outcome(connection, item.number, 2, GOOD)
    assert worked_sec(connection, item) == 3600


def test_two_workers_that_resume_at_once_leave_the_pause_out_once(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = stored_job(connection, files=4)
    set_clock(monkeypatch, MOMENT)
    begin_shard(connection, item.number, 1)
    set_clock(monkeypatch, MOMENT + 10)
    count_outcome(connection, item.number, 1, GOOD)
    set_clock(monkeypatch, MOMENT + 1000)
    for _ in range(2):
        resume_clock(connection, item.number, 1, is_repeated=True)
    assert worked_sec(connection, item) == 10


def test_the_clock_of_an_ended_job_stands_still(connection: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    item = stored_job(connection, files=1)
    set_clock(monkeypatch, MOMENT)
    begin_shard(connection, item.number, 1)
    end_job(connection, item, JobState.CANCELED)
    set_clock(monkeypatch, MOMENT + 1000)
    begin_shard(connection, item.number, 1)  # to settle what its worker left
    assert worked_sec(connection, item) == 0


def test_a_job_of_an_earlier_release_shows_progress_without_an_end(connection: sa.Connection) -> None:
    item = stored_job(connection, files=4)
    connection.execute(sa.update(shard).values(state="RUNNING", succeeded=1, audio_sec=10.0))
    connection.execute(sa.update(job).values(begun_at=None, changed_at=None))
    progress = get_job(connection, item.job_id).answer().progress
    assert (progress.audio_sec_done, progress.eta_sec) == (10.0, None)
