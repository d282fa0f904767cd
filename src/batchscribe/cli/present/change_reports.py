"""Messages about a change of a job: the question before it, and the report after it."""

from __future__ import annotations

import shlex
from pathlib import Path

import typer

from batchscribe.cli.present.console import format_text
from batchscribe.cli.present.job_report import INTERRUPTED, count_ended, has_ended, read_answer
from batchscribe.wire.answers import JobAnswer
from batchscribe.wire.base import JsonObject


def show_warnings(answer: JsonObject) -> None:
    for warning in answer.get("warnings", ()):
        typer.echo(f"Warning: {format_text(str(warning))}", err=True)


def next_command(*words: str, server: str | None, data_dir: Path | None = None) -> str:
    """Return a command for the same jobs. `server` and `data_dir` are the values of the options."""
    place = ["--server", server] if server else ["--data-dir", str(data_dir)] if data_dir else []
    return shlex.join(["batchscribe", *words, *place])


def show_retried(answer: JsonObject, *, server: str | None, data_dir: Path | None) -> None:
    """Show that a server retries the job, and the next command."""
    job = read_answer(JobAnswer, answer)
    typer.echo(f"The failed files of {job.job_id} are being retried; its other transcripts are kept.")
    command = dict(answer.get(INTERRUPTED, {})).get(job.job_id)
    usual = next_command("jobs", "watch", job.job_id, server=server, data_dir=data_dir)
    typer.echo(f"next: {command or usual}")


def ask_to_delete(job: JobAnswer) -> str:
    """Return the question before a job is deleted."""
    files = f"{count_ended(job.summary)} of {job.summary.total_files} files"
    canceled = "" if has_ended(job) else " It has not ended, and will be canceled."
    return f"Delete {job.job_id} ({job.state}, {files})?{canceled} {what_stays(job)}"


def what_stays(job: JobAnswer) -> str:
    n_transcripts = job.summary.succeeded
    transcripts = "1 transcript" if n_transcripts == 1 else f"{n_transcripts} transcripts"
    return f"Its recordings and {transcripts} are kept in storage."
