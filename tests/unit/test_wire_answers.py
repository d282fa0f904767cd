"""Answers, and what would break clients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from batchscribe.wire.answers import ErrorAnswer, FileAnswer, JobAnswer, SummaryAnswer
from batchscribe.wire.choices import FileState, JobState

SUBMITTED = datetime(2026, 1, 5, 22, 0, 0, 900_000, tzinfo=UTC)


def job(**changes: object) -> dict[str, object]:
    answer = JobAnswer(
        job_id="job_1",
        state=JobState.QUEUED,
        submitted_at=SUBMITTED,
        input={"mode": "SINGLE"},
        output={"layout": "SINGLE"},
        config={},
        summary=SummaryAnswer(total_files=3, queued=3),
    )
    return answer.model_copy(update=changes).body()


def test_a_job_that_runs_has_no_field_of_an_ended_one() -> None:
    assert job() == {
        "job_id": "job_1",
        "state": "QUEUED",
        "submitted_at": "2026-01-05T22:00:00Z",
        "input": {"mode": "SINGLE"},
        "output": {"layout": "SINGLE"},
        "config": {},
        "summary": {
            "total_files": 3,
            "queued": 3,
            "processing": 0,
            "succeeded": 0,
            "failed": 0,
            "skipped": 0,
            "canceled": 0,
        },
        "progress": {"audio_sec_done": 0.0},
        "usage": {"audio_sec": 0.0, "compute_sec": 0.0, "bytes_in": 0, "retries": 0},
        "error": None,
    }


def test_times_are_converted_to_utc() -> None:
    elsewhere = SUBMITTED.astimezone(timezone(timedelta(hours=5)))
    assert job(completed_at=elsewhere)["completed_at"] == "2026-01-05T22:00:00Z"


def test_a_failed_job_says_why_and_keeps_its_reference() -> None:
    error = ErrorAnswer(code="INVALID_CREDENTIALS", message="The session token is expired.")
    body = job(error=error, reference_id="order 7", state=JobState.FAILED)
    assert body["error"] == {"code": "INVALID_CREDENTIALS", "message": "The session token is expired."}
    assert body["reference_id"] == "order 7"


def test_a_waiting_file_has_its_planned_output_and_no_duration() -> None:
    answer = FileAnswer(
        file_id="f_000001", input_uri="s3://b/a.wav", output_uri="s3://b/a.json", state=FileState.QUEUED
    )
    assert answer.body() == {
        "file_id": "f_000001",
        "input_uri": "s3://b/a.wav",
        "output_uri": "s3://b/a.json",
        "state": "FILE_QUEUED",
        "error": None,
    }


def test_a_finished_file_has_its_duration_and_warnings() -> None:
    answer = FileAnswer(
        file_id="f_000001",
        input_uri="s3://b/a.wav",
        output_uri="s3://b/a.json",
        state=FileState.SUCCEEDED,
        duration_sec=27.4,
        warnings=("Cut off.",),
    )
    assert (answer.body()["duration_sec"], answer.body()["warnings"]) == (27.4, ["Cut off."])


def test_a_signature_is_not_part_of_an_answer_while_an_s3_key_is_whole() -> None:
    def shown(uri: str) -> str:
        file = FileAnswer(file_id="f", input_uri=uri, output_uri="", state=FileState.QUEUED)
        return str(file.body()["input_uri"])

    assert shown("https://host/a.wav?X-Amz-Signature=marked#x") == "https://host/a.wav"
    assert shown("s3://bucket/what?.wav") == "s3://bucket/what?.wav"
