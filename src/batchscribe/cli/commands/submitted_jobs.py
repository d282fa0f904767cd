"""`batchscribe jobs submit`: submit a job to a server, or show what it would do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from batchscribe.cli import options
from batchscribe.cli.lazy import lazy_imports
from batchscribe.cli.option_groups import with_option_groups
from batchscribe.errors import UsageError

with lazy_imports():
    from batchscribe.cli import job_request, job_waiting, served_jobs, text_files
    from batchscribe.cli.present import change_reports, console, job_report, job_summary

if TYPE_CHECKING:
    from batchscribe.settings import Settings
    from batchscribe.wire.base import JsonObject


@dataclass(frozen=True, slots=True)
class SubmitMode:
    """The options of a submission that do not describe the job."""

    request: str | None  #: a file with the whole body, or `-`
    dry_run: bool
    idempotency_key: str | None
    wait: bool
    as_json: bool
    server: str | None  #: the value of the option, for the next command


@with_option_groups
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

    A single INPUT may be a file, folder, prefix or glob. With several INPUTs or a manifest, each must be a file.

    Secrets come from the environment, because options are visible in the process list: the credentials of storage from
    AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT and the like, and the webhook secret from
    BATCHSCRIBE_WEBHOOK_SECRET.
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
    change_reports.show_warnings(answer)
    if mode.wait:
        typer.echo(f"job: {submitted.job_id}", err=True)
        return job_waiting.wait_for_job(served, submitted.job_id, timeout_sec=None, as_json=mode.as_json)
    if mode.as_json:
        console.print_json(answer)
    else:
        typer.echo(f"job: {submitted.job_id}")
        typer.echo(f"next: {change_reports.next_command('jobs', 'wait', submitted.job_id, server=mode.server)}")
    return 0
