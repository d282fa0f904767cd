"""Progress of a running job."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from batchscribe.cli.present.console import format_duration, format_size, format_speed
from batchscribe.cli.present.progress import JobProgress, ProgressLines, SessionPace, StateLines
from batchscribe.errors import ServerError
from batchscribe.jobs.summary import Summary
from batchscribe.wire.choices import JobState
from tests.jobs_on_record import a_job
from tests.twins.clock import Clock


def job(
    *,
    succeeded: int = 0,
    skipped: int = 0,
    total: int = 40,
    audio_sec: float = 0.0,
    listed: bool = True,
    state: JobState = JobState.PROCESSING,
) -> JobProgress:
    summary = Summary(total_files=total, succeeded=succeeded, skipped=skipped)
    return JobProgress(a_job(state=state, summary=summary).answer(), audio_sec, is_listed=listed)


def test_progress_shows_files_audio_speed_and_the_time_left() -> None:
    clock = Clock(100.0)
    pace = SessionPace(clock)
    assert pace.describe(job()) == "0 of 40 files · 0 s audio"
    clock.advance(60)
    assert pace.describe(job(succeeded=10, audio_sec=600)) == "10 of 40 files · 10 min audio · 10.0x · 3 min left"


def test_a_resumed_job_is_measured_by_what_this_session_did() -> None:
    clock = Clock(100.0)
    pace = SessionPace(clock)
    pace.describe(job(succeeded=20, audio_sec=1200))
    clock.advance(60)
    assert pace.describe(job(succeeded=30, audio_sec=1800)) == "30 of 40 files · 30 min audio · 10.0x · 60 s left"


def test_skipped_files_cost_nothing_and_do_not_promise_a_near_end() -> None:
    clock = Clock(100.0)
    pace = SessionPace(clock)
    pace.describe(job())
    clock.advance(10)
    assert "left" not in pace.describe(job(skipped=20))
    assert "190 s" not in pace.describe(job(skipped=20, succeeded=1, audio_sec=5))
    assert "3 min left" in pace.describe(job(skipped=20, succeeded=1, audio_sec=5))


def test_the_time_left_is_unknown_while_files_are_being_found() -> None:
    clock = Clock(100.0)
    pace = SessionPace(clock)
    pace.describe(job())
    clock.advance(10)
    assert "left" not in pace.describe(job(succeeded=5, audio_sec=5, listed=False))


def test_without_a_terminal_there_is_a_plain_line_every_five_seconds_and_one_at_the_end() -> None:
    clock, text = Clock(100.0), io.StringIO()
    lines = ProgressLines(Console(file=text, width=200), clock)
    for _ in range(60):
        clock.advance(0.2)
        lines.show(job(succeeded=1, total=2))
    lines.show(job(succeeded=2, total=2, state=JobState.SUCCEEDED))
    told = text.getvalue().splitlines()
    assert [line.partition(":")[0] for line in told] == ["Transcribing", "Transcribing", "Done"]
    assert told[-1].startswith("Done: 2 of 2 files")


@pytest.mark.parametrize("listed", [True, False])
def test_a_job_that_ended_early_promises_nothing_more(listed: bool) -> None:
    clock, text = Clock(100.0), io.StringIO()
    lines = ProgressLines(Console(file=text, width=200), clock)
    lines.show(job(listed=listed))
    clock.advance(1)
    lines.show(job(succeeded=10, listed=listed, state=JobState.CANCELED))
    assert text.getvalue() == "Done: 10 of 40 files · 0 s audio\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (0.04, "under 0.1 s"),
        (0.4, "0.4 s"),
        (0.97, "1 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3600, "60 min"),
        (12_240, "3.4 h"),
    ],
)
def test_durations_are_shown_in_a_suitable_unit(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words


@pytest.mark.parametrize(("factor", "words"), [(0.0, "0.0x"), (0.0042, "0.0042x"), (0.1, "0.1x"), (6.04, "6.0x")])
def test_a_low_speed_is_not_shown_as_zero(factor: float, words: str) -> None:
    assert format_speed(factor) == words


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [(0, "0 bytes"), (812, "812 bytes"), (2048, "2.0 KiB"), (3 * 2**20, "3.0 MiB"), (5 * 2**50, "5120.0 TiB")],
)
def test_a_small_size_is_not_shown_as_zero(n_bytes: int, words: str) -> None:
    assert format_size(n_bytes) == words


# --- waiting for a job ---


def body(state: str = "PROCESSING", **counters: int) -> dict[str, Any]:
    return {
        "job_id": "job_1", "state": state, "submitted_at": "2026-11-24T12:00:00Z",
        "input": {}, "output": {}, "config": {}, "summary": {"total_files": 40, **counters}, "error": None,
    }  # fmt: skip


def test_a_line_comes_with_each_state_and_every_five_seconds() -> None:
    clock, told = Clock(100.0), io.StringIO()
    lines = StateLines(Console(file=told), clock)
    lines.show(body("QUEUED"))
    lines.show(body("QUEUED"))
    lines.show(body(succeeded=1))
    clock.advance(4)
    lines.show(body(succeeded=2))
    clock.advance(2)
    lines.show(body(succeeded=3, failed=1, skipped=1))
    lines.show(body("PARTIAL", succeeded=39, failed=1))
    assert told.getvalue().splitlines() == [
        "QUEUED: 0 of 40 files",
        "PROCESSING: 1 of 40 files",
        "PROCESSING: 5 of 40 files, 1 failed",
        "PARTIAL: 40 of 40 files, 1 failed",
    ]


def test_an_interrupted_job_is_not_said_to_be_in_progress() -> None:
    told = io.StringIO()
    StateLines(Console(file=told)).show(body(succeeded=1) | {"interrupted": {"job_1": "batchscribe jobs resume job_1"}})
    assert told.getvalue() == "interrupted: 1 of 40 files\n"


def test_an_answer_that_is_not_a_job_is_an_error_of_the_server() -> None:
    with pytest.raises(ServerError, match="cannot be understood: job_id is required"):
        StateLines(Console(file=io.StringIO())).show({"state": "QUEUED"})
