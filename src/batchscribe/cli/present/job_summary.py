"""Summaries of jobs and dry runs: a few lines for a program, tables for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from batchscribe.cli.present.console import (
    format_duration,
    format_size,
    format_speed,
    format_text,
    format_uri,
    open_console,
)
from batchscribe.cli.present.job_report import INTERRUPTED, LISTED_FILES, JobReport, read_answer
from batchscribe.wire.answers import FileAnswer, JobAnswer
from batchscribe.wire.base import JsonObject, WireModel
from batchscribe.wire.choices import JobState, OutputLayout

NOTHING_SUPPORTED = (
    "Nothing was transcribed: no file is in an accepted format. Convert the recordings to WAV, MP3, M4A, MP4, FLAC, "
    "Ogg, Opus, WebM or AAC. If they are, check BATCHSCRIBE_INPUT_FORMATS."
)
PLANNED_ROWS = 10  #: planned transcripts that a dry run lists


@dataclass(frozen=True, slots=True)
class Effort:
    """The share of this command in a job, and the job's total audio. Other commands may have done the rest."""

    wall_sec: float
    audio_sec: float
    total_audio_sec: float


def exit_status(report: JobReport) -> int:
    """Return 0 if every file succeeded or was skipped, else 1; also 1 if no file was in a supported format."""
    return 0 if report.job.state is JobState.SUCCEEDED and not report.is_all_unsupported else 1


def show_report(report: JobReport, *, effort: Effort | None = None) -> None:
    job, output = report.job, open_console()
    _show_rows(output, "Failed", report.failed, job.summary.failed, job.job_id)
    _show_skipped(output, report)
    _show_warnings(output, report)
    output.print(f"job: {job.job_id}")
    _show_counters(output, _count_files(report) | _measure(effort))
    output.print(f"transcripts: {_describe_output(job)}")
    if job.error is not None:
        output.print(format_text(f"{job.error.code}: {job.error.message}"))
    if report.is_all_unsupported:
        output.print(NOTHING_SUPPORTED)
    if report.resume is not None:
        output.print(f"No process works on this job. Resume it: {report.resume}")


def _show_skipped(output: Console, report: JobReport) -> None:
    """List the skipped files if they are few, else count them by code."""
    job, total = report.job, report.job.summary.skipped
    if total <= LISTED_FILES or not report.skip_codes:
        _show_rows(output, "Skipped", report.skipped, total, job.job_id)
        return
    for code, count in report.skip_codes.items():
        output.print(f"Skipped: {count} files: {format_text(code)}")
    output.print(f"All of them: batchscribe jobs show {job.job_id} --json")


def _show_warnings(output: Console, report: JobReport) -> None:
    for file in report.warned[:LISTED_FILES]:
        for warning in file.warnings:
            output.print(f"Warning: {format_uri(file.input_uri)}: {format_text(warning)}")
    if len(report.warned) > LISTED_FILES:
        output.print(f"... and more warnings: batchscribe jobs show {report.job.job_id} --json")


def _show_rows(output: Console, title: str, files: Sequence[FileAnswer], total: int, job_id: str) -> None:
    """Show `files`, the first of `total`."""
    if not files:
        return
    rows = [_describe_file(file) for file in files]
    if output.is_terminal:
        _show_table(output, f"{title} ({total})", rows)
    else:
        for row in rows:
            output.print(f"{title}: {': '.join(row)}")
    if total > len(rows):
        output.print(f"... and {total - len(rows)} more: batchscribe jobs show {job_id} --json")


def _describe_file(file: FileAnswer) -> tuple[str, str, str]:
    code, message = (file.error.code, file.error.message) if file.error else ("", "")
    return format_uri(file.input_uri), format_text(code), format_text(message)


def _show_table(output: Console, title: str, rows: Sequence[tuple[str, str, str]]) -> None:
    table = Table("file", "code", "what happened", title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    output.print(table, soft_wrap=False)


def _count_files(report: JobReport) -> dict[str, str]:
    summary = report.job.summary
    counters = {
        "state": report.job.state.value if report.resume is None else INTERRUPTED,
        "files": f"{summary.total_files}",
        "succeeded": f"{summary.succeeded}",
        "failed": f"{summary.failed}",
        "skipped": f"{summary.skipped}",
    }
    return counters | ({"canceled": f"{summary.canceled}"} if summary.canceled else {})


def _measure(effort: Effort | None) -> dict[str, str]:
    if effort is None:
        return {}
    return {
        "audio": format_duration(effort.total_audio_sec),
        "took": format_duration(effort.wall_sec),
        "speed": format_speed(effort.audio_sec / effort.wall_sec),
    }


def _show_counters(output: Console, counters: Mapping[str, str]) -> None:
    if output.is_terminal:
        table = Table(*counters)
        table.add_row(*counters.values())
        output.print(table, soft_wrap=False)
    else:
        for name, value in counters.items():
            output.print(f"{name}: {value}")


def _describe_output(job: JobAnswer) -> str:
    is_adjacent = job.output.get("layout") == OutputLayout.ADJACENT
    return "next to the recordings" if is_adjacent else format_uri(str(job.output.get("uri", "")))


# Dry run


class PlannedTranscript(WireModel):
    """A recording and the URI of its future transcript."""

    input_uri: str
    output_uri: str


class DryRunAnswer(WireModel):
    """The displayed fields of the answer to a dry run."""

    complete: bool  #: false if the server reached its time limit; the counts are then minimums
    matched: int
    skipped: int
    excluded: int
    bytes: int
    estimated_audio_hours: float
    planned: tuple[PlannedTranscript, ...] = ()
    warnings: tuple[str, ...] = ()


def show_dry_run(body: JsonObject) -> None:
    run, output = read_answer(DryRunAnswer, body), open_console()
    for planned in run.planned[:PLANNED_ROWS]:
        output.print(f"{format_uri(planned.input_uri)} -> {format_uri(planned.output_uri)}")
    if run.matched > len(run.planned[:PLANNED_ROWS]):
        output.print(f"... and {run.matched - len(run.planned[:PLANNED_ROWS])} more")
    for warning in run.warnings:
        output.print(f"Warning: {format_text(warning)}")
    _show_counters(output, _count_planned(run))


def _count_planned(run: DryRunAnswer) -> dict[str, str]:
    at_least = "" if run.complete else "at least "
    return {
        "matched": f"{at_least}{run.matched}",
        "skipped": f"{at_least}{run.skipped}",
        "excluded": f"{at_least}{run.excluded}",
        "size": f"{at_least}{format_size(run.bytes)}",
        "audio": f"{at_least}about {format_duration(3600 * run.estimated_audio_hours)}",
    }
