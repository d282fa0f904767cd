"""`batchscribe jobs list`, `show`, `files`, `wait` and `watch`: what the jobs of a server or data directory do."""

from __future__ import annotations

import typer

from batchscribe.cli import options
from batchscribe.cli.lazy import lazy_imports

with lazy_imports():
    from batchscribe.cli import job_source, job_waiting
    from batchscribe.cli.present import console, job_report, job_summary, listings


def list_jobs(
    state: options.OfJobState = None,
    limit: options.JobLimit = 20,
    as_json: options.AsJson = False,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Show the newest jobs."""
    with job_source.open_job_source(server, data_dir) as source:
        jobs = list(source.jobs(state=state, limit=limit))
        interrupted = source.find_interrupted(jobs)
        if as_json:
            console.print_json_list("jobs", jobs, beside=job_report.name_interrupted(interrupted))
        else:
            listings.show_jobs(jobs, interrupted)


def show_job(
    job_id: options.JobId,
    as_json: options.AsJson = False,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Show one job; with --json, including its files."""
    with job_source.open_job_source(server, data_dir) as source:
        if as_json:
            job = source.job(job_id)
            beside = job | job_report.name_interrupted(source.find_interrupted([job]))
            console.print_json_list("files", source.files(job_id, state=None, limit=None), beside=beside)
        else:
            job_summary.show_report(source.report(job_id))


def list_files(
    job_id: options.JobId,
    state: options.OfState = None,
    limit: options.FileLimit = None,
    as_json: options.AsJson = False,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Show the files of a job, and why files failed."""
    with job_source.open_job_source(server, data_dir) as source:
        files = source.files(job_id, state=state, limit=limit)
        if as_json:
            console.print_json_list("files", files)
        else:
            listings.show_files(files)


def wait(
    job_id: options.JobId,
    timeout_sec: options.TimeoutSec = None,
    as_json: options.AsJson = False,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Wait until a job ends, then show it. A restart of the server does not interrupt the wait.

    Exit status: 0 the job succeeded; 1 some or all files failed, none was in a supported format, or it was canceled;
    3 timed out.
    """
    with job_source.open_job_source(server, data_dir) as source:
        raise typer.Exit(job_waiting.wait_for_job(source, job_id, timeout_sec=timeout_sec, as_json=as_json))


def watch_job(
    job_id: options.JobId,
    timeout_sec: options.TimeoutSec = None,
    as_json: options.JsonLines = False,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Watch a job until it ends: files done, failures as they appear, and the speed.

    Ctrl-C ends only the watch. The exit status is that of `batchscribe jobs wait`.
    """
    with job_source.open_job_source(server, data_dir) as source:
        raise typer.Exit(job_waiting.watch_job(source, job_id, timeout_sec=timeout_sec, as_json=as_json))
