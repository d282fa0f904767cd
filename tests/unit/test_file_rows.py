"""File rows: one winner per attempt, one final state, pages at any depth, and distinct outputs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from batchscribe.database.file_rows import (
    claim,
    commit_outcome,
    find_taken_outputs,
    get_file,
    open_files,
    page_of_files,
    requeue,
)
from batchscribe.database.job_rows import end_job
from batchscribe.database.shard_rows import begin_shard
from batchscribe.errors import CorruptMedia
from batchscribe.jobs.model import File, Job, Outcome
from batchscribe.wire.choices import FileState, JobState
from tests.jobs_on_record import stored_job


@pytest.fixture
def job(connection: sa.Connection) -> Job:
    return stored_job(connection, files=5)


@pytest.fixture
def file(connection: sa.Connection, job: Job) -> File:
    return open_files(connection, job.number, 1)[0]


def claimed(connection: sa.Connection, file: File) -> File:
    assert claim(connection, file, run=0)
    return get_file(connection, file.job_number, file.seq)


def test_a_file_is_claimed_by_one_worker_only(connection: sa.Connection, file: File) -> None:
    assert claim(connection, file, run=0)
    assert not claim(connection, file, run=0)


def test_only_the_latest_run_of_a_shard_claims_its_files(connection: sa.Connection, job: Job, file: File) -> None:
    earlier = begin_shard(connection, job.number, 1)
    latest = begin_shard(connection, job.number, 1)
    assert earlier is not None
    assert latest is not None
    assert not claim(connection, file, run=earlier)
    assert claim(connection, file, run=latest)


def test_a_file_whose_worker_died_is_claimed_again_as_the_next_attempt(connection: sa.Connection, file: File) -> None:
    abandoned = claimed(connection, file)
    again = claimed(connection, abandoned)
    assert (again.state, again.attempt) == (FileState.PROCESSING, 2)


def test_a_worker_that_was_taken_for_dead_cannot_write_its_result(connection: sa.Connection, file: File) -> None:
    slow = claimed(connection, file)
    fast = claimed(connection, slow)
    assert not commit_outcome(connection, slow, Outcome.failed(CorruptMedia("bad")))
    assert commit_outcome(connection, fast, Outcome.succeeded(duration_sec=2.5, warnings=("cut off",)))
    done = get_file(connection, file.job_number, file.seq)
    assert (done.state, done.duration_sec, done.warnings) == (FileState.SUCCEEDED, 2.5, ("cut off",))


def test_a_file_handed_back_is_as_if_it_had_never_been_claimed(connection: sa.Connection, file: File) -> None:
    requeue(connection, claimed(connection, file))
    assert get_file(connection, file.job_number, file.seq) == file


def test_only_the_attempt_that_holds_a_file_hands_it_back(connection: sa.Connection, file: File) -> None:
    slow = claimed(connection, file)
    fast = claimed(connection, slow)
    requeue(connection, slow)
    assert get_file(connection, file.job_number, file.seq) == fast


def test_a_final_state_is_never_overwritten(connection: sa.Connection, file: File) -> None:
    mine = claimed(connection, file)
    assert commit_outcome(connection, mine, Outcome.succeeded(duration_sec=1.0))
    assert not commit_outcome(connection, mine, Outcome.failed(CorruptMedia("bad")))
    assert not claim(connection, mine, run=0)


def test_nothing_is_committed_once_the_job_was_canceled(connection: sa.Connection, job: Job, file: File) -> None:
    mine = claimed(connection, file)
    assert end_job(connection, job, JobState.CANCELED)
    assert not commit_outcome(connection, mine, Outcome.succeeded(duration_sec=1.0))


def test_only_files_without_a_final_state_are_open(connection: sa.Connection, job: Job, file: File) -> None:
    mine = claimed(connection, file)
    commit_outcome(connection, mine, Outcome.failed(CorruptMedia("bad")))
    assert [each.seq for each in open_files(connection, job.number, 1)] == [2, 3, 4, 5]


def test_pages_follow_the_order_of_enumeration(connection: sa.Connection, job: Job) -> None:
    first = page_of_files(connection, job.number, limit=2)
    second = page_of_files(connection, job.number, after=first[-1].seq, limit=2)
    assert [each.file_id for each in (*first, *second)] == ["f_000001", "f_000002", "f_000003", "f_000004"]


def test_a_page_of_one_state_holds_that_state_only(connection: sa.Connection, job: Job, file: File) -> None:
    claim(connection, file, run=0)
    page = page_of_files(connection, job.number, state=FileState.PROCESSING)
    assert [each.seq for each in page] == [1]


def test_outputs_of_the_job_are_known_as_taken(connection: sa.Connection, job: Job) -> None:
    asked = {"memory://out/3.json", "memory://out/free.json"}
    assert find_taken_outputs(connection, job.number, asked) == {"memory://out/3.json"}
    assert find_taken_outputs(connection, job.number + 1, asked) == set()


def test_the_database_refuses_a_second_file_with_the_same_output(connection: sa.Connection, file: File) -> None:
    duplicate = sa.text(
        "INSERT INTO file (job, seq, input_uri, output_uri, output_hash, state, attempt) "
        "SELECT job, 99, input_uri, output_uri, output_hash, state, attempt FROM file WHERE seq = 1"
    )
    with pytest.raises(sa.exc.IntegrityError):
        connection.execute(duplicate)


def test_a_stale_copy_of_a_file_claims_nothing(connection: sa.Connection, file: File) -> None:
    assert not claim(connection, replace(file, attempt=7), run=0)
