"""Transitions between states, and the public view of a job's rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from batchscribe.jobs.model import (
    FILE_MOVES,
    FINAL_FILE_STATES,
    FINAL_JOB_STATES,
    JOB_MOVES,
    File,
    Job,
    job_states_before,
    states_before,
)
from batchscribe.jobs.summary import Summary
from batchscribe.wire.choices import FileState, JobState, OutputLayout
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output

FILE = File(job_number=1, seq=7, shard=1, input_uri="s3://in/a.wav", output_uri="s3://out/a.json")
JOB = Job(
    number=1,
    job_id="job_1",
    tenant="local",
    lane="main",
    state=JobState.PROCESSING,
    submitted_at=datetime(2026, 1, 5, 22, tzinfo=UTC),
    completed_at=None,
    reference_id=None,
    input={"mode": "PREFIX", "source": "S3", "uri": "s3://in/"},
    output=Output(uri="s3://out/", layout=OutputLayout.PREFIX),
    config=Config(),
    engine="auto",
    sources=(),
    file_roots=(),
    storage_settings={},
    summary=Summary(total_files=3, queued=2, succeeded=1),
)


def test_every_state_has_its_moves_and_the_final_ones_have_none() -> None:
    assert set(JOB_MOVES) == set(JobState)
    assert set(FILE_MOVES) == set(FileState)
    assert set(JobState) - FINAL_JOB_STATES == {JobState.QUEUED, JobState.PROCESSING}
    assert set(FileState) - FINAL_FILE_STATES == {FileState.QUEUED, FileState.PROCESSING}


def test_a_transcript_is_stored_only_by_a_worker_that_holds_the_file() -> None:
    assert states_before(FileState.SUCCEEDED) == (FileState.PROCESSING,)


def test_only_an_unfinished_job_can_be_canceled() -> None:
    assert set(job_states_before(JobState.CANCELED)) == {JobState.QUEUED, JobState.PROCESSING}
    assert job_states_before(JobState.QUEUED) == ()


@pytest.mark.parametrize("state", sorted(FINAL_JOB_STATES))
def test_what_an_ended_job_left_unfinished_reads_as_canceled(state: JobState) -> None:
    for unfinished in (FileState.QUEUED, FileState.PROCESSING):
        assert replace(FILE, state=unfinished).answer(state).state is FileState.CANCELED
    assert replace(FILE, state=FileState.SUCCEEDED).answer(state).state is FileState.SUCCEEDED
    counters = replace(JOB, state=state).answer().summary
    assert (counters.queued, counters.canceled, counters.succeeded) == (0, 2, 1)


def test_a_file_reads_as_it_is_while_its_job_runs() -> None:
    body = FILE.answer(JobState.PROCESSING).body()
    assert (body["file_id"], body["state"], body["error"]) == ("f_000007", "FILE_QUEUED", None)


def test_a_failed_file_says_why() -> None:
    failed = replace(FILE, state=FileState.FAILED, error_code="CORRUPT_MEDIA", error_message="It cannot be decoded.")
    error = failed.answer(JobState.PROCESSING).body()["error"]
    assert error == {"code": "CORRUPT_MEDIA", "message": "It cannot be decoded."}


def test_a_job_is_read_back_as_submitted() -> None:
    body = JOB.answer().body()
    assert body["input"] == JOB.input
    assert body["output"] == {"uri": "s3://out/", "destination": "S3", "layout": "PREFIX", "overwrite": False}
    assert body["config"]["language"] == "en-US"
    assert "completed_at" not in body
