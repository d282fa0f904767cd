"""The summary of an ended job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from batchscribe.cli.present import job_summary
from batchscribe.cli.present.job_report import JobReport, collect_report, read_answer
from batchscribe.cli.present.job_summary import Effort, exit_status, show_report
from batchscribe.cli.recorded_jobs import report_job
from batchscribe.database.file_rows import page_of_files
from batchscribe.database.tables import file
from batchscribe.jobs.model import Job
from batchscribe.jobs.summary import Summary
from batchscribe.wire.answers import ErrorAnswer, FileAnswer
from batchscribe.wire.choices import FileState, JobState, OutputLayout
from batchscribe.wire.output import Output
from tests.jobs_on_record import a_job, stored_job


def ended_job(connection: sa.Connection, *, files: int, values: Mapping[str, Any], **counters: int) -> Job:
    """Return an ended job. All its files have the same `values`."""
    job = stored_job(connection, files=files)
    connection.execute(sa.update(file).values(**values))
    counted = Summary(total_files=files, **counters)
    return replace(job, state=JobState.PARTIAL, summary=counted)


FAILED = {"state": FileState.FAILED, "error_code": "CORRUPT_MEDIA", "error_message": "It is cut off."}
SKIPPED = {"state": FileState.SKIPPED, "error_code": "OUTPUT_EXISTS", "error_message": "It is there."}


def test_a_failed_file_is_shown_with_its_code_and_reason(
    connection: sa.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    show_report(report_job(connection, ended_job(connection, files=1, values=FAILED, failed=1)))
    assert "Failed: memory://calls/1.wav: CORRUPT_MEDIA: It is cut off.\n" in capsys.readouterr().out


def test_the_first_failures_are_shown_and_where_to_find_the_rest(
    connection: sa.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    show_report(report_job(connection, ended_job(connection, files=25, values=FAILED, failed=25)))
    told = capsys.readouterr().out
    assert told.count("CORRUPT_MEDIA") == 20
    assert "... and 5 more: batchscribe jobs show job_1 --json\n" in told


def test_few_skipped_files_are_listed_and_many_are_counted_by_code(
    connection: sa.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    job = ended_job(connection, files=30, values=SKIPPED, skipped=30)
    connection.execute(sa.update(file).where(file.c.seq <= 4).values(error_code="UNSUPPORTED_MEDIA"))
    show_report(report_job(connection, job))
    told = capsys.readouterr().out
    assert "Skipped: 26 files: OUTPUT_EXISTS\nSkipped: 4 files: UNSUPPORTED_MEDIA\n" in told
    connection.execute(sa.delete(file).where(file.c.seq > 4))
    show_report(report_job(connection, replace(job, summary=Summary(total_files=4, skipped=4))))
    assert capsys.readouterr().out.count("Skipped: memory://calls/") == 4


def test_warnings_of_files_are_shown(connection: sa.Connection, capsys: pytest.CaptureFixture[str]) -> None:
    values = {"state": FileState.SUCCEEDED, "warnings": ["The end is missing."]}
    show_report(report_job(connection, ended_job(connection, files=2, values=values, succeeded=2)))
    assert "Warning: memory://calls/2.wav: The end is missing.\n" in capsys.readouterr().out


WARNED = {"state": FileState.SUCCEEDED, "warnings": ["The end is missing."]}


@pytest.mark.parametrize(
    ("files", "values", "counters"),
    [
        (25, FAILED, {"failed": 25}),
        (4, SKIPPED, {"skipped": 4}),
        (30, SKIPPED, {"skipped": 30}),
        (25, WARNED, {"succeeded": 25}),
    ],
)
def test_a_recorded_job_and_a_served_one_look_the_same(
    connection: sa.Connection,
    capsys: pytest.CaptureFixture[str],
    files: int,
    values: Mapping[str, Any],
    counters: dict[str, int],
) -> None:
    job = ended_job(connection, files=files, values=values, **counters)
    show_report(report_job(connection, job))
    recorded = capsys.readouterr().out
    bodies = [each.answer(job.state).body() for each in page_of_files(connection, job.number)]
    show_report(collect_report(job.answer(), (read_answer(FileAnswer, body) for body in bodies)))
    assert capsys.readouterr().out == recorded
    assert str(values.get("error_code", "The end is missing.")) in recorded


def test_a_name_is_never_taken_for_markup_nor_folded(
    connection: sa.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    job = ended_job(connection, files=1, values=FAILED, failed=1)
    name = "s3://calls/[red] :smile:" + "x" * 300 + ".wav"
    connection.execute(sa.update(file).values(input_uri=name))
    show_report(report_job(connection, job))
    assert f"Failed: {name}: CORRUPT_MEDIA" in capsys.readouterr().out


def test_at_a_terminal_it_is_a_table(
    connection: sa.Connection, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Console(force_terminal=True, width=80, markup=False, color_system=None)
    monkeypatch.setattr(job_summary, "open_console", lambda: terminal)
    show_report(report_job(connection, ended_job(connection, files=1, values=FAILED, failed=1)))
    assert re.search(r"memory://calls/1\.wav +│ CORRUPT_MEDIA +│ It is cut off\.", capsys.readouterr().out)


def test_the_speed_is_that_of_this_command_alone(connection: sa.Connection, capsys: pytest.CaptureFixture[str]) -> None:
    job = replace(a_job(), state=JobState.SUCCEEDED, summary=Summary(total_files=2, succeeded=2, audio_sec=7200.0))
    show_report(report_job(connection, job), effort=Effort(wall_sec=600.0, audio_sec=1200.0, total_audio_sec=7200.0))
    told = capsys.readouterr().out
    assert "audio: 2.0 h\n" in told
    assert "took: 10 min\nspeed: 2.0x\n" in told


def test_open_files_of_an_ended_job_are_shown_as_canceled(
    connection: sa.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    counters = Summary(total_files=5, succeeded=2, queued=2, processing=1)
    show_report(report_job(connection, replace(a_job(), state=JobState.CANCELED, summary=counters)))
    assert "canceled: 3\n" in capsys.readouterr().out


def test_it_says_where_the_transcripts_are(
    connection: sa.Connection, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    show_report(report_job(connection, a_job(output=Output(uri=f"{(tmp_path / 'my out').as_uri()}/"))))
    show_report(report_job(connection, a_job(output=Output(layout=OutputLayout.ADJACENT))))
    assert re.findall("transcripts: (.*)", capsys.readouterr().out) == ["my out/", "next to the recordings"]


def test_the_reason_of_a_failed_job_is_shown(connection: sa.Connection, capsys: pytest.CaptureFixture[str]) -> None:
    job = replace(a_job(), state=JobState.FAILED, error_code="NO_INPUT_FILES", error_message="No file was found.")
    show_report(report_job(connection, job))
    assert capsys.readouterr().out.endswith("NO_INPUT_FILES: No file was found.\n")


@pytest.mark.parametrize("state", JobState)
def test_only_a_job_that_succeeded_ends_in_status_0(state: JobState) -> None:
    assert (exit_status(JobReport(a_job(state=state).answer())) == 0) is (state is JobState.SUCCEEDED)


@pytest.mark.parametrize(
    ("codes", "succeeded", "status"),
    [
        (["UNSUPPORTED_MEDIA"] * 2, 0, 1),
        (["UNSUPPORTED_MEDIA"] * 30, 0, 1),
        (["UNSUPPORTED_MEDIA"] * 2, 1, 0),
        (["UNSUPPORTED_MEDIA", "OUTPUT_EXISTS"], 0, 0),
        (["OUTPUT_EXISTS"], 0, 0),
        ([], 0, 0),
    ],
)
def test_a_job_of_which_no_file_is_supported_is_no_silent_success(
    codes: list[str], succeeded: int, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = Summary(total_files=len(codes) + succeeded, succeeded=succeeded, skipped=len(codes))
    skipped = [
        FileAnswer(
            file_id=f"f_{number}",
            input_uri=f"file:///{number}.xyz",
            output_uri="",
            state=FileState.SKIPPED,
            error=ErrorAnswer(code=code, message="Why."),
        )
        for number, code in enumerate(codes)
    ]
    report = collect_report(a_job(state=JobState.SUCCEEDED, summary=summary).answer(), skipped)
    assert exit_status(report) == status
    show_report(report)
    assert ("no file is in an accepted format" in capsys.readouterr().out) is (status == 1)
