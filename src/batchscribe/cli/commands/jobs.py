"""`batchscribe jobs`: submit a job to a server; list, show, wait for and cancel jobs; resume a local job."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from batchscribe.cli import options
from batchscribe.cli.lazy import lazy_imports
from batchscribe.errors import JobNotCancelable, UsageError

with lazy_imports():
    from batchscribe.cli import job_request, job_source, local_job, served_jobs, text_files
    from batchscribe.cli.present import console, job_report, job_summary, listings, progress
    from batchscribe.wire import answers

if TYPE_CHECKING:
    from batchscribe.settings import Settings
    from batchscribe.wire.base import JsonObject

EXIT_NOT_CANCELED, EXIT_TIME_OVER = 1, 3

jobs_app = typer.Typer(help="Submit, list, show, wait for, resume and cancel jobs.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class SubmitMode:
    """The options of a submission that do not describe the job."""

    request: str | None  #: a file with the whole body, or `-`
    dry_run: bool
    idempotency_key: str | None
    wait: bool
    as_json: bool
    server: str | None  #: the value of the option, for the next command


@jobs_app.command("submit")
@options.with_option_groups
def submit(
    job: options.JobOptions,
    inputs: options.SubmittedInputs = None,
    vocabulary_id: options.UsedVocabularyId = None,
    reference_id: options.ReferenceId = None,
    webhook_url: options.WebhookUrl = None,
    manifest: options.Manifest = None,
    request: options.RequestFile = None,
    dry_run: options.DryRun = False,
    idempotency_key: options.IdempotencyKey = None,
    wait: options.Wait = False,
    as_json: options.AsJson = False,
    server: options.Server = None,
) -> None:
    """Submit a job to a server.

    Several INPUTs, or a manifest, must be files; a single INPUT may be a folder, prefix or glob. Credentials come from
    the environment, such as AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS or AZURE_STORAGE_ACCOUNT, and the webhook
    secret from BATCHSCRIBE_WEBHOOK_SECRET, because options are visible in the process list.
    """
    job = replace(
        job,
        inputs=tuple(inputs or ()),
        manifest=manifest,
        vocabulary_id=vocabulary_id,
        reference_id=reference_id,
        webhook_url=webhook_url,
    )
    mode = SubmitMode(request, dry_run, idempotency_key, wait, as_json, server)
    raise typer.Exit(_submit_or_preview(job, mode, options.read_settings(data_dir=None, server=server)))


def _submit_or_preview(job: options.JobOptions, mode: SubmitMode, settings: Settings) -> int:
    """Submit or preview a job and return the exit status. Raises `UsageError`."""
    if settings.server is None:
        raise UsageError(
            "A job is submitted to a server: give --server URL or set BATCHSCRIBE_SERVER. "
            "Without a server, `batchscribe transcribe` does the work here."
        )
    if mode.dry_run and mode.wait:
        raise UsageError("--dry-run creates no job to wait for; omit --wait.")
    body = _make_body(job, mode, settings)
    with served_jobs.open_served_jobs(settings) as served:
        return _dry_run(served, body, mode) if mode.dry_run else _submit(served, body, mode)


def _make_body(job: options.JobOptions, mode: SubmitMode, settings: Settings) -> JsonObject:
    if mode.request is None:
        secret = settings.webhook_secret
        return job_request.build_server_request(job, webhook_secret=secret.get_secret_value() if secret else None)
    if job != options.JobOptions():
        raise UsageError("--request contains the whole job; omit INPUT and the options that describe it.")
    return text_files.read_json_object(mode.request)


def _dry_run(served: served_jobs.ServedJobs, body: JsonObject, mode: SubmitMode) -> int:
    answer = served.dry_run(body)
    if mode.as_json:
        console.print_json(answer)
    else:
        job_summary.show_dry_run(answer)
    return 0


def _submit(served: served_jobs.ServedJobs, body: JsonObject, mode: SubmitMode) -> int:
    answer = served.submit(body, idempotency_key=mode.idempotency_key)
    submitted = job_report.read_answer(job_report.SubmittedAnswer, answer)
    for warning in submitted.warnings:
        typer.echo(f"Warning: {console.format_text(warning)}", err=True)
    if mode.wait:
        typer.echo(f"job: {submitted.job_id}", err=True)
        return _wait_for_job(served, submitted.job_id, timeout_sec=None, as_json=mode.as_json)
    if mode.as_json:
        console.print_json(answer)
    else:
        typer.echo(f"job: {submitted.job_id}")
        typer.echo(f"next: {_next_command(submitted.job_id, mode.server)}")
    return 0


def _next_command(job_id: str, server: str | None) -> str:
    return shlex.join(["batchscribe", "jobs", "wait", job_id, *(["--server", server] if server else [])])


@jobs_app.command("list")
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


@jobs_app.command("show")
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


@jobs_app.command("files")
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


@jobs_app.command("wait")
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
        raise typer.Exit(_wait_for_job(source, job_id, timeout_sec=timeout_sec, as_json=as_json))


def _wait_for_job(source: job_source.JobSource, job_id: str, *, timeout_sec: float | None, as_json: bool) -> int:
    """Wait, show the job as it is then, and return the exit status."""
    with progress.show_states() as show:
        body = source.wait(job_id, timeout_sec=timeout_sec, seen=show)
    if as_json:
        console.print_json(body)
    report = source.report(job_id)
    if not as_json:
        job_summary.show_report(report)
    job = job_report.read_answer(answers.JobAnswer, body)
    if not job_report.has_ended(job):
        typer.echo(f"{job_id} has not ended within {timeout_sec:g} s; it continues.", err=True)
        return EXIT_TIME_OVER
    return job_summary.exit_status(report)


@jobs_app.command("resume")
def resume(
    job_id: options.JobId,
    engine_processes: options.EngineProcesses = None,
    workers: options.Workers = None,
    data_dir: options.DataDir = None,
) -> None:
    """Resume an interrupted job. Finished files are not repeated.

    The job has stored its storage settings and credentials; credentials in the environment replace them. Output and
    exit status are those of `batchscribe transcribe`.
    """
    settings = options.read_settings(data_dir=data_dir, engine_processes=engine_processes, workers=workers)
    raise typer.Exit(local_job.resume_job(job_id, settings))


@jobs_app.command("cancel")
def cancel(job_id: options.JobId, server: options.Server = None, data_dir: options.DataDir = None) -> None:
    """Cancel a job, even while it is running. Finished transcripts are kept."""
    with job_source.open_job_source(server, data_dir) as source:
        try:
            source.cancel(job_id)
        except JobNotCancelable as error:
            typer.echo(error.message, err=True)
            raise typer.Exit(EXIT_NOT_CANCELED) from error
        job = job_report.read_answer(answers.JobAnswer, source.job(job_id))
    typer.echo(f"{job_id} is canceled; {job.summary.succeeded} transcripts are kept.")
