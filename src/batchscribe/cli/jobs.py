"""`batchscribe jobs`: look at the jobs of a data directory, go on with one, give one up."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from batchscribe.cli.options import (
    AsJson,
    DataDir,
    Workers,
    settings_of,
)

jobs_app = typer.Typer(help="List, show, resume and cancel jobs.", no_args_is_help=True)
JobId = Annotated[str, typer.Argument(metavar="JOB", help="A job's id, as `batchscribe jobs list` shows it.")]
Limit = Annotated[int, typer.Option(min=1, help="How many to show, the newest first.")]


@jobs_app.command("list")
def list_jobs(limit: Limit = 20, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show the newest jobs."""
    from batchscribe.cli.records import opened
    from batchscribe.cli.tables import show_jobs
    from batchscribe.database.job import newest_jobs

    records = opened(settings_of(data_dir=data_dir))
    with records.transaction() as connection:
        jobs = newest_jobs(connection, limit=limit)
    if as_json:
        _print_json({"jobs": [job.answer().body() for job in jobs]})
    else:
        show_jobs(jobs)


@jobs_app.command("show")
def show_job(job_id: JobId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show one job; with --json every file of it."""
    from batchscribe.cli.records import opened
    from batchscribe.cli.summary import show_summary
    from batchscribe.database.file import all_files
    from batchscribe.database.job import get_job

    records = opened(settings_of(data_dir=data_dir))
    with records.transaction() as connection:
        job = get_job(connection, job_id)
        if as_json:
            files = [file.answer(job.state).body() for file in all_files(connection, job.number)]
            _print_json(job.answer().body() | {"files": files})
        else:
            show_summary(job, connection)


@jobs_app.command("resume")
def resume(job_id: JobId, workers: Workers = None, data_dir: DataDir = None) -> None:
    """Go on with a job that was interrupted. Finished files are not done again.

    The job knows its S3 service and has its keys; keys in the environment, if there are any, take their place.
    Output and exit status are those of `batchscribe transcribe`.
    """
    from batchscribe.cli.work import resume_job

    raise typer.Exit(resume_job(job_id, settings_of(data_dir=data_dir, workers=workers)))


@jobs_app.command("cancel")
def cancel(job_id: JobId, data_dir: DataDir = None) -> None:
    """Give a job up, also while another process works on it. Finished transcripts are kept."""
    from batchscribe.cli.records import opened
    from batchscribe.database.job import get_job
    from batchscribe.work.finish import cancel_job

    records = opened(settings_of(data_dir=data_dir))
    with records.transaction() as connection:
        job = get_job(connection, job_id)
    if not cancel_job(job, records):
        typer.echo(f"{job_id} had ended before: {job.state}.", err=True)
        raise typer.Exit(1)
    typer.echo(f"{job_id} is canceled; {job.summary.succeeded} transcripts are kept.")


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
