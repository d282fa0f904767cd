"""Give a server a job, or ask what it would do, and tell how to go on."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import typer

from batchscribe.cli.answers import understood
from batchscribe.cli.dry_run import show_dry_run
from batchscribe.cli.given_text import read_json_object
from batchscribe.cli.job_request import JobOptions, job_request
from batchscribe.cli.json_output import print_json
from batchscribe.cli.places import printable
from batchscribe.cli.served_jobs import ServedJobs, served_jobs
from batchscribe.cli.waiting import wait_for_job
from batchscribe.errors import UsageError
from batchscribe.settings import Settings
from batchscribe.wire.model import JsonObject, WireModel


@dataclass(frozen=True, slots=True)
class Sending:
    """What is to be done with the job, beside what it is."""

    request: str | None  #: a file with the whole body, or `-`
    dry_run: bool
    idempotency_key: str | None
    wait: bool
    as_json: bool


class Submitted(WireModel):
    """The answer's fields that people read."""

    job_id: str
    warnings: tuple[str, ...] = ()


def send_job(options: JobOptions, sending: Sending, settings: Settings, *, server: str | None) -> int:
    """The exit status. `server` is the option's, which the next command needs as well. Raises `UsageError`."""
    if settings.server is None:
        raise UsageError(
            "A job is submitted to a server: give --server URL or set BATCHSCRIBE_SERVER. "
            "Without a server, `batchscribe transcribe` does the work here."
        )
    if sending.dry_run and sending.wait:
        raise UsageError("--dry-run makes no job that --wait could wait for; leave one of them out.")
    body = _body(options, sending, settings)
    with served_jobs(settings) as served:
        return _dry_run(served, body, sending) if sending.dry_run else _submit(served, body, sending, server)


def _body(options: JobOptions, sending: Sending, settings: Settings) -> JsonObject:
    if sending.request is None:
        secret = settings.webhook_secret
        return job_request(options, webhook_secret=secret.get_secret_value() if secret else None)
    if options != JobOptions():
        raise UsageError("--request holds the whole job; leave out INPUT and the options that say what it is.")
    return read_json_object(sending.request)


def _dry_run(served: ServedJobs, body: JsonObject, sending: Sending) -> int:
    answer = served.dry_run(body)
    if sending.as_json:
        print_json(answer)
    else:
        show_dry_run(answer)
    return 0


def _submit(served: ServedJobs, body: JsonObject, sending: Sending, server: str | None) -> int:
    answer = served.submit(body, idempotency_key=sending.idempotency_key)
    submitted = understood(Submitted, answer)
    job_id = submitted.job_id
    for warning in submitted.warnings:
        typer.echo(f"Warning: {printable(warning)}", err=True)
    if sending.wait:
        typer.echo(f"job: {job_id}", err=True)
        return wait_for_job(served, job_id, timeout_sec=None, as_json=sending.as_json)
    if sending.as_json:
        print_json(answer)
    else:
        typer.echo(f"job: {job_id}")
        typer.echo(f"next: {_next_command(job_id, server)}")
    return 0


def _next_command(job_id: str, server: str | None) -> str:
    return shlex.join(["batchscribe", "jobs", "wait", job_id, *(["--server", server] if server else [])])
