"""Job rows: a submission is stored completely, one process moves the cursor, counters add up, a job ends once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from batchscribe.database.file_rows import claim, commit_outcome, get_file, open_files
from batchscribe.database.job_counters import add_shard_counters
from batchscribe.database.job_rows import (
    MAX_PAGE_CHARS,
    advance,
    begin_job,
    end_job,
    find_job,
    find_unfinished_twin,
    get_job,
    insert_job,
    is_complete,
    is_live,
    newest_jobs,
    page_of_jobs,
)
from batchscribe.database.shard_rows import begin_shard, count_outcome, end_shard, insert_shards
from batchscribe.errors import CorruptMedia, JobNotFound, NoInputFiles
from batchscribe.jobs.model import Job, Outcome
from batchscribe.jobs.summary import Summary
from batchscribe.wire.choices import JobState
from batchscribe.wire.config import Config
from tests.jobs_on_record import a_job, stored_job


def commit_first(connection: sa.Connection, job: Job, outcome: Outcome) -> None:
    file = open_files(connection, job.number, 1)[0]
    claim(connection, file, run=1)
    file = get_file(connection, job.number, file.seq)
    assert commit_outcome(connection, file, outcome)
    count_outcome(connection, job.number, 1, outcome)


def test_a_job_reads_back_as_it_was_submitted(connection: sa.Connection) -> None:
    new = a_job(
        config=Config(word_time_offsets=True), file_roots=("/calls",), reference_id="case 7", traceparent="00-ab-cd-01"
    )
    stored = insert_job(connection, new, fingerprint="f")
    assert replace(stored, number=0, progress=new.progress) == new


def test_an_unknown_job_is_reported_by_name(connection: sa.Connection) -> None:
    assert find_job(connection, "job_none") is None
    with pytest.raises(JobNotFound, match="job_none"):
        get_job(connection, "job_none")


def test_an_id_that_no_database_could_hold_is_of_no_job(connection: sa.Connection) -> None:
    assert find_job(connection, "job_\0") is None


def test_the_same_request_finds_its_unfinished_job_but_not_a_finished_one(connection: sa.Connection) -> None:
    job = insert_job(connection, a_job(), fingerprint="same words")
    assert find_unfinished_twin(connection, "same words") == job
    assert find_unfinished_twin(connection, "other words") is None
    end_job(connection, job, JobState.CANCELED)
    assert find_unfinished_twin(connection, "same words") is None


def test_a_page_of_jobs_ends_before_its_requests_get_too_large(connection: sa.Connection) -> None:
    half = {"manifest": ["s3://calls/" + "k" * (MAX_PAGE_CHARS // 2)]}
    for number in range(5):
        insert_job(connection, a_job(job_id=f"job_{number}", input=half if number else {}), fingerprint=str(number))
    pages = []
    before, more = None, True
    while more:
        page, before = page_of_jobs(connection, "default", before=before, limit=3)
        pages.append([job.job_id for job in page])
        more = before is not None
    assert pages == [["job_4"], ["job_3"], ["job_2"], ["job_1", "job_0"]]


def test_a_page_of_small_jobs_has_the_requested_size(connection: sa.Connection) -> None:
    for number in range(5):
        insert_job(connection, a_job(job_id=f"job_{number}"), fingerprint=str(number))
    page, more = page_of_jobs(connection, "default", before=None, limit=3)
    assert ([job.job_id for job in page], more) == (["job_4", "job_3", "job_2"], page[-1].number)
    page, more = page_of_jobs(connection, "default", before=page[-1].number, limit=3)
    assert ([job.job_id for job in page], more) == (["job_1", "job_0"], None)


def test_the_newest_job_comes_first(connection: sa.Connection) -> None:
    for name in ("job_a", "job_b", "job_c"):
        insert_job(connection, a_job(job_id=name), fingerprint=name)
    assert [job.job_id for job in newest_jobs(connection, limit=2)] == ["job_c", "job_b"]


def test_only_one_of_two_enumerations_moves_the_cursor(connection: sa.Connection) -> None:
    job = insert_job(connection, a_job(), fingerprint="f")
    begin_job(connection, job)
    there = replace(job.cursor, after="memory://calls/9.wav", seq=9)
    assert advance(connection, job, there, Summary(total_files=9), audio_sec=90.0)
    assert not advance(connection, job, there, Summary(total_files=9), audio_sec=90.0)
    read = get_job(connection, job.job_id)
    assert (read.cursor, read.summary.total_files, read.progress.estimated_sec) == (there, 9, 90.0)


def test_an_ended_job_neither_begins_nor_moves_again(connection: sa.Connection) -> None:
    job = insert_job(connection, a_job(), fingerprint="f")
    end_job(connection, job, JobState.CANCELED)
    assert not begin_job(connection, job)
    assert not advance(connection, job, replace(job.cursor, seq=1), Summary(), audio_sec=0.0)


def test_a_job_ends_once_and_says_why_and_when(connection: sa.Connection) -> None:
    job = stored_job(connection)
    assert end_job(connection, job, JobState.FAILED, error=NoInputFiles("No file was found."))
    assert not end_job(connection, job, JobState.CANCELED)
    ended = get_job(connection, job.job_id)
    assert (ended.state, ended.error_code) == (JobState.FAILED, "NO_INPUT_FILES")
    assert ended.completed_at is not None
    assert not is_live(connection, job.number)


def test_counters_of_a_running_shard_count_before_it_ends(connection: sa.Connection) -> None:
    job = stored_job(connection, files=4)
    run = begin_shard(connection, job.number, 1) or 0
    commit_first(connection, job, Outcome.succeeded(duration_sec=2.0))
    commit_first(connection, job, Outcome.failed(CorruptMedia("bad")))
    claim(connection, open_files(connection, job.number, 1)[0], run=run)
    summary = get_job(connection, job.job_id).summary
    assert summary == Summary(total_files=4, queued=1, processing=1, succeeded=1, failed=1, audio_sec=2.0)


def test_a_finished_shard_is_counted_once(connection: sa.Connection) -> None:
    job = stored_job(connection, files=1)
    begin_shard(connection, job.number, 1)
    commit_first(connection, job, Outcome.succeeded(duration_sec=2.0))
    running = get_job(connection, job.job_id).summary
    assert end_shard(connection, job.number, 1, run=1)
    add_shard_counters(connection, job.number, 1)
    assert not end_shard(connection, job.number, 1, run=1)
    assert get_job(connection, job.job_id).summary == running


def test_all_is_done_only_when_listed_and_every_shard_ended(connection: sa.Connection) -> None:
    job = stored_job(connection, files=2)
    assert not is_complete(connection, job.number)
    end_shard(connection, job.number, 1, run=0)
    add_shard_counters(connection, job.number, 1)
    assert is_complete(connection, job.number)


def test_a_done_shard_does_not_run_again(connection: sa.Connection) -> None:
    job = stored_job(connection, files=1)
    insert_shards(connection, job.number, [2])
    assert begin_shard(connection, job.number, 2) == 1
    assert begin_shard(connection, job.number, 2) == 2  # after a crash
    assert not end_shard(connection, job.number, 2, run=1)
    assert end_shard(connection, job.number, 2, run=2)
    assert begin_shard(connection, job.number, 2) is None
