"""`batchscribe jobs resume`, `retry`, `cancel` and `delete`: what changes a job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from batchscribe.cli import change_options, options
from batchscribe.cli.lazy import lazy_imports
from batchscribe.errors import JobNotCancelable, UsageError

with lazy_imports():
    from batchscribe.cli import job_source, job_waiting, local_job
    from batchscribe.cli.present import change_reports, console, job_report
    from batchscribe.wire import answers

if TYPE_CHECKING:
    from batchscribe.wire.base import JsonObject

EXIT_UNCHANGED = 1


def resume(
    job_id: options.JobId,
    as_json: options.AsJson = False,
    engine_processes: options.EngineProcesses = None,
    workers: options.Workers = None,
    data_dir: options.DataDir = None,
) -> None:
    """Resume an interrupted job. Finished files are not repeated.

    The storage settings and credentials are stored with the job; credentials in the environment replace the stored
    ones. Output and exit status are those of `batchscribe transcribe`.
    """
    settings = options.read_settings(data_dir=data_dir, engine_processes=engine_processes, workers=workers)
    raise typer.Exit(local_job.resume_job(job_id, settings, as_json=as_json))


def retry(
    job_id: options.JobId,
    wait: options.Wait = False,
    as_json: options.AsJson = False,
    engine_processes: options.EngineProcesses = None,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Retry the failed files of an ended job, after you have fixed the cause.

    A server retries its own jobs. The files of a job of `batchscribe transcribe` are retried in this process. Jobs with
    storage in a cloud need credentials in the environment, because a job's own credentials are deleted at its end.
    """
    with job_source.open_job_source(server, data_dir) as source:
        if not source.is_done_here(job_id):
            answer = source.retry(job_id)
            change_reports.show_warnings(answer)
            if wait:
                raise typer.Exit(job_waiting.wait_for_job(source, job_id, timeout_sec=None, as_json=as_json))
            raise typer.Exit(_report_retried(answer, as_json=as_json, server=server, data_dir=data_dir))
    settings = options.read_settings(data_dir=data_dir, engine_processes=engine_processes)
    raise typer.Exit(local_job.retry_local_job(job_id, settings, as_json=as_json))


def _report_retried(answer: JsonObject, *, as_json: bool, server: str | None, data_dir: Path | None) -> int:
    if as_json:
        console.print_json(answer)
    else:
        change_reports.show_retried(answer, server=server, data_dir=data_dir)
    return 0


def cancel(
    job_id: options.JobId,
    as_json: options.AsJson = False,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Cancel a job, even while it is running. Finished transcripts are kept."""
    with job_source.open_job_source(server, data_dir) as source:
        try:
            source.cancel(job_id)
        except JobNotCancelable as error:
            typer.echo(error.message, err=True)
            raise typer.Exit(EXIT_UNCHANGED) from error
        body = source.job(job_id)
    if as_json:
        console.print_json(body)
    else:
        job = job_report.read_answer(answers.JobAnswer, body)
        typer.echo(f"{job_id} is canceled; {job.summary.succeeded} transcripts are kept.")


def delete(
    job_id: options.JobId,
    yes: change_options.Yes = False,
    as_json: options.AsJson = False,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Delete a job and everything that the database stores about it. Recordings and transcripts in storage are kept.

    A job that has not ended is canceled first.
    """
    with job_source.open_job_source(server, data_dir) as source:
        job = job_report.read_answer(answers.JobAnswer, source.job(job_id))
        if not yes:
            _confirm(change_reports.ask_to_delete(job))
        source.delete(job_id)
    if as_json:
        console.print_json({"job_id": job_id, "deleted": True})
    else:
        typer.echo(f"{job_id} is deleted. {change_reports.what_stays(job)}")


def _confirm(question: str) -> None:
    """Ask at a terminal. Raises `UsageError` if there is none, and `typer.Exit` if the answer is no."""
    if not sys.stdin.isatty():
        raise UsageError("A job is deleted after a confirmation in a terminal; without one, add --yes.")
    if not typer.confirm(question, err=True):
        typer.echo("The job was not deleted.", err=True)
        raise typer.Exit(EXIT_UNCHANGED)
