"""Lists of jobs, files, keys and checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import typer
from rich.table import Table

from batchscribe.cli.present.console import (
    fetch_first,
    format_duration,
    format_minute,
    format_text,
    format_uri,
    open_console,
    print_table,
)
from batchscribe.cli.present.job_report import INTERRUPTED, count_ended, read_answer
from batchscribe.cli.vocabulary_file import vocabulary_lines
from batchscribe.wire.answers import FileAnswer, JobAnswer
from batchscribe.wire.base import JsonObject
from batchscribe.wire.vocabulary import VocabularyAnswer

#: A line of the list of files. The first three columns have room for any value; the last two have no fixed width.
FILE_LINE = "{:<10}  {:<15}  {:>8}  {}  {}"


def show_jobs(bodies: Iterable[JsonObject], interrupted: Mapping[str, str]) -> None:
    """Print a table; on standard error, print the commands that resume `interrupted` jobs, or that there are no jobs.

    `interrupted` has the commands by job ID.
    """
    table = Table("job", "submitted", "state", "files", "failed", "reference", box=None)
    for body in bodies:
        job = read_answer(JobAnswer, body)
        table.add_row(
            job.job_id,
            format_minute(job.submitted_at),
            INTERRUPTED if job.job_id in interrupted else job.state.value,
            f"{count_ended(job.summary)} of {job.summary.total_files}",
            f"{job.summary.failed}",
            format_text(job.reference_id or ""),
        )
    if table.row_count:
        print_table(table)
    else:
        typer.echo("No jobs found. `batchscribe transcribe` and `batchscribe jobs submit` create jobs.", err=True)
    for job_id, command in interrupted.items():
        typer.echo(f"No process works on {job_id}. Resume it: {command}", err=True)


def show_files(bodies: Iterable[JsonObject]) -> None:
    """Print each file on a line as soon as it is read, because there may be a million."""
    output, found = open_console(), fetch_first(bodies)
    output.print(FILE_LINE.format("file", "state", "duration", "input", "output or error"))
    for body in found:
        file = read_answer(FileAnswer, body)
        length = "" if file.duration_sec is None else format_duration(file.duration_sec)
        line = (file.file_id, file.state.value, length, format_uri(file.input_uri), _describe_result(file))
        output.print(FILE_LINE.format(*line))


def _describe_result(file: FileAnswer) -> str:
    if file.error:
        return f"{format_text(file.error.code)}: {format_text(file.error.message)}"
    return format_uri(file.output_uri)


def show_keys(keys: Iterable[JsonObject]) -> None:
    table = Table("key", "tenant", "created", "revoked", box=None)
    for key in keys:
        moments = (key["created_at"], key.get("revoked_at", ""))
        table.add_row(key["api_key"], key["tenant"], *(_format_timestamp(moment) for moment in moments))
    if table.row_count:
        print_table(table)
    else:
        typer.echo("There are no keys. `batchscribe keys create --tenant NAME` creates one.", err=True)


def show_vocabularies(bodies: Iterable[JsonObject]) -> None:
    table = Table("vocabulary", "created", "phrases", "aliases", "name", box=None)
    for body in bodies:
        found = read_answer(VocabularyAnswer, body)
        counts = (str(len(found.phrases)), str(len(found.aliases)))
        table.add_row(found.vocabulary_id, format_minute(found.created_at), *counts, format_text(found.name or ""))
    if table.row_count:
        print_table(table)
    else:
        typer.echo("There are no vocabularies. `batchscribe vocabularies create FILE` stores one.", err=True)


def show_vocabulary(body: JsonObject) -> None:
    """Print a vocabulary as a file for `--vocabulary`."""
    found, output = read_answer(VocabularyAnswer, body), open_console()
    for line in vocabulary_lines(found.phrases, found.aliases):
        output.print(format_text(line))


def show_checks(checks: Iterable[JsonObject]) -> None:
    table = Table("check", "result", "finding", box=None)
    for check in checks:
        lines = [format_text(line) for line in (check["finding"], check["advice"]) if line]
        table.add_row(check["name"], check["verdict"], "\n".join(lines))
    print_table(table)


def _format_timestamp(moment: str) -> str:
    return format_minute(datetime.fromisoformat(moment)) if moment else ""
