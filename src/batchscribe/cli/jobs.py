"""`batchscribe jobs`: give a server a job; look at jobs, wait for one, give one up; go on with one that is here."""

from __future__ import annotations

from typing import Annotated

import typer

from batchscribe.cli.options import AsJson, DataDir, Server, Workers, settings_of
from batchscribe.cli.submit import submit
from batchscribe.wire.states import FileState

jobs_app = typer.Typer(help="Submit, list, show, wait for, resume and cancel jobs.", no_args_is_help=True)
jobs_app.command()(submit)

JobId = Annotated[str, typer.Argument(metavar="JOB", help="A job's id, as `batchscribe jobs list` shows it.")]
Limit = Annotated[int, typer.Option(min=1, help="Number of jobs to show, newest first.")]
FileLimit = Annotated[
    int | None, typer.Option(min=1, help="Number of files to show. By default all.", show_default=False)
]
OfState = Annotated[FileState | None, typer.Option(help="Only files in this state.", show_default=False)]
TimeoutSec = Annotated[
    float | None,
    typer.Option("--timeout", min=0, metavar="SEC", help="Seconds to wait. By default until the job ends."),
]


@jobs_app.command("list")
def list_jobs(limit: Limit = 20, as_json: AsJson = False, server: Server = None, data_dir: DataDir = None) -> None:
    """Show the newest jobs."""
    from batchscribe.cli.job_source import job_source
    from batchscribe.cli.json_output import print_json_list
    from batchscribe.cli.tables import show_jobs

    with job_source(server, data_dir) as source:
        jobs = source.jobs(limit=limit)
        if as_json:
            print_json_list("jobs", jobs)
        else:
            show_jobs(jobs)


@jobs_app.command("show")
def show_job(job_id: JobId, as_json: AsJson = False, server: Server = None, data_dir: DataDir = None) -> None:
    """Show one job; with --json, including its files."""
    from batchscribe.cli.job_source import job_source
    from batchscribe.cli.json_output import print_json_list

    with job_source(server, data_dir) as source:
        if as_json:
            job = source.job(job_id)
            print_json_list("files", source.files(job_id, state=None, limit=None), beside=job)
        else:
            source.show(job_id)


@jobs_app.command("files")
def files(
    job_id: JobId,
    state: OfState = None,
    limit: FileLimit = None,
    as_json: AsJson = False,
    server: Server = None,
    data_dir: DataDir = None,
) -> None:
    """Show the files of a job, and why files failed."""
    from batchscribe.cli.file_lines import show_files
    from batchscribe.cli.job_source import job_source
    from batchscribe.cli.json_output import print_json_list

    with job_source(server, data_dir) as source:
        found = source.files(job_id, state=state, limit=limit)
        if as_json:
            print_json_list("files", found)
        else:
            show_files(found)


@jobs_app.command("wait")
def wait(
    job_id: JobId,
    timeout_sec: TimeoutSec = None,
    as_json: AsJson = False,
    server: Server = None,
    data_dir: DataDir = None,
) -> None:
    """Wait until a job ends, then show it. A restart of the server does not interrupt the wait.

    Exit status: 0 the job succeeded, 1 some or all files failed or it was canceled, 3 timed out.
    """
    from batchscribe.cli.job_source import job_source
    from batchscribe.cli.waiting import wait_for_job

    with job_source(server, data_dir) as source:
        raise typer.Exit(wait_for_job(source, job_id, timeout_sec=timeout_sec, as_json=as_json))


@jobs_app.command("resume")
def resume(job_id: JobId, workers: Workers = None, data_dir: DataDir = None) -> None:
    """Resume an interrupted job. Finished files are not repeated.

    The job has stored its S3 service and keys; keys in the environment replace them. Output and exit status are those
    of `batchscribe transcribe`.
    """
    from batchscribe.cli.work import resume_job

    raise typer.Exit(resume_job(job_id, settings_of(data_dir=data_dir, workers=workers)))


@jobs_app.command("cancel")
def cancel(job_id: JobId, server: Server = None, data_dir: DataDir = None) -> None:
    """Cancel a job, even while it is running. Finished transcripts are kept."""
    from batchscribe.cli.answers import understood
    from batchscribe.cli.job_source import job_source
    from batchscribe.errors import JobNotCancelable
    from batchscribe.wire.answers import JobAnswer

    with job_source(server, data_dir) as source:
        try:
            source.cancel(job_id)
        except JobNotCancelable as error:
            typer.echo(error.message, err=True)
            raise typer.Exit(1) from error
        job = understood(JobAnswer, source.job(job_id))
    typer.echo(f"{job_id} is canceled; {job.summary.succeeded} transcripts are kept.")
