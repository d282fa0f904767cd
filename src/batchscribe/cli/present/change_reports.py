"""What is said about a change of a job, before it and after it."""

from __future__ import annotations

import shlex

import typer

from batchscribe.cli.present.console import format_text
from batchscribe.cli.present.job_report import INTERRUPTED, count_ended, has_ended, read_answer
from batchscribe.wire.answers import JobAnswer
from batchscribe.wire.base import JsonObject


def show_warnings(answer: JsonObject) -> None:
    for warning in answer.get("warnings", ()):
        typer.echo(f"Warning: {format_text(str(warning))}", err=True)


def show_retried(answer: JsonObject, *, server: str | None) -> None:
    """Show that a server retries the job, and the next command. `server` is the value of the option."""
    job = read_answer(JobAnswer, answer)
    typer.echo(f"The failed files of {job.job_id} are tried again; its other transcripts stay.")
    command = dict(answer.get(INTERRUPTED, {})).get(job.job_id)
    place = ["--server", server] if server else []
    typer.echo(f"next: {command or shlex.join(['batchscribe', 'jobs', 'watch', job.job_id, *place])}")


def ask_to_delete(job: JobAnswer) -> str:
    """Return the question before a job is deleted."""
    files = f"{count_ended(job.summary)} of {job.summary.total_files} files"
    canceled = "" if has_ended(job) else " It has not ended, and will be canceled."
    return f"Delete {job.job_id} ({job.state}, {files})?{canceled} {what_stays(job)}"


def what_stays(job: JobAnswer) -> str:
    n_transcripts = job.summary.succeeded
    transcripts = "1 transcript" if n_transcripts == 1 else f"{n_transcripts} transcripts"
    return f"Its recordings and {transcripts} stay in storage."
