"""What a watched job looks like: to a person in a log, and to a program."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from batchscribe.cli.job_waiting import JobFollower
from batchscribe.cli.no_jobs import NoJobs
from batchscribe.cli.present.watched_job import WatchedJson, WatchedLines, WatchedPace
from batchscribe.errors import ServerUnreachable
from batchscribe.wire.answers import JobAnswer
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState
from tests.twins.clock import Clock
from tests.unit.test_cli_progress import body


def job(audio_sec: float = 0.0, *, state: str = "PROCESSING", **beside: Any) -> JobAnswer:
    progress = {"audio_sec_done": audio_sec, **beside}
    return JobAnswer.model_validate(body(state, succeeded=3, failed=1) | {"progress": progress})


def failed_file(number: int) -> JsonObject:
    error = {"code": "CORRUPT_MEDIA", "message": "It is cut off."}
    uri = f"s3://calls/{number}.wav"
    return {"file_id": f"f_{number}", "input_uri": uri, "output_uri": "", "state": "FILE_FAILED", "error": error}


def test_the_speed_is_that_of_the_watch_and_the_rest_what_the_server_estimates() -> None:
    clock = Clock(100.0)
    pace = WatchedPace(clock)
    assert pace.describe(job(600.0, eta_sec=300)) == "4 of 40 files · 1 failed · 10 min audio · 5 min left"
    clock.advance(60)
    assert pace.describe(job(660.0, eta_sec=240)) == "4 of 40 files · 1 failed · 11 min audio · 1.0x · 4 min left"
    assert pace.describe(job(660.0, state="PARTIAL", eta_sec=0)) == "4 of 40 files · 1 failed · 11 min audio · 1.0x"


def test_a_job_that_waits_says_for_what() -> None:
    waiting = JobAnswer.model_validate(body("QUEUED") | {"progress": {"queue_position": 3}})
    assert WatchedPace().describe(waiting) == "0 of 40 files · number 3 in the queue"
    waiting = JobAnswer.model_validate(body() | {"waiting_for": "credentials"})
    assert WatchedPace().describe(waiting) == "0 of 40 files · waits for fresh credentials"


def test_a_line_comes_with_each_state_each_failure_and_every_five_seconds() -> None:
    clock, told = Clock(100.0), io.StringIO()
    lines = WatchedLines(Console(file=told, width=200), clock)
    lines.show_job(body("QUEUED"))
    lines.show_job(body())
    lines.show_failure(failed_file(7))
    clock.advance(4)
    lines.show_job(body(succeeded=1))
    clock.advance(2)
    lines.show_job(body(succeeded=2))
    lines.show_job(body(succeeded=2) | {"interrupted": {"job_1": "resume it"}})
    assert told.getvalue().splitlines() == [
        "QUEUED: 0 of 40 files",
        "PROCESSING: 0 of 40 files",
        "Failed: s3://calls/7.wav: CORRUPT_MEDIA: It is cut off.",
        "PROCESSING: 2 of 40 files",
        "interrupted: 2 of 40 files",
    ]


def test_json_has_a_line_for_each_change_with_the_object_of_the_wire(capsys: pytest.CaptureFixture[str]) -> None:
    display = WatchedJson()
    for each in (body(), body(), body(failed=1), body(failed=1) | {"interrupted": {"job_1": "resume it"}}):
        display.show_job(each)
    display.show_failure(failed_file(7))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        {"job": body()},
        {"job": body(failed=1)},
        {"job": body(failed=1), "interrupted": {"job_1": "resume it"}},
        {"file": failed_file(7)},
    ]


class FailingJobs(NoJobs):
    """A source whose failed files are set by the test; None if its server is down."""

    failed: tuple[int, ...] | None = ()

    def files(self, job_id: str, *, state: FileState | None, limit: int | None) -> Iterator[JsonObject]:
        assert state is FileState.FAILED
        if self.failed is None:
            raise ServerUnreachable("It restarts.")
        return iter([failed_file(number) for number in self.failed][:limit])


class Seen:
    """A display that records the failures."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def show_job(self, body: JsonObject) -> None:
        """Ignore it."""

    def show_failure(self, body: JsonObject) -> None:
        self.failures.append(body["file_id"])


def test_each_failure_is_shown_once_also_if_the_server_restarts_in_between() -> None:
    source, seen = FailingJobs(), Seen()
    follower = JobFollower(source, "job_1", seen)
    follower.see(body())
    source.failed = (2,)
    follower.see(body(failed=1))
    follower.see(body(failed=1))
    source.failed = None
    follower.see(body(failed=2))
    source.failed = (1, 2)
    follower.see(body(failed=2))
    assert seen.failures == ["f_2", "f_1"]


def test_no_more_failures_are_shown_than_fit_into_one_answer() -> None:
    source, seen = FailingJobs(), Seen()
    source.failed = tuple(range(1000))
    JobFollower(source, "job_1", seen).see(body(failed=1000))
    assert len(seen.failures) == 200
