"""The jobs of a server. Its error responses become messages for the command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice

from batchscribe.cli.lazy import lazy_imports
from batchscribe.cli.present.console import format_text
from batchscribe.cli.present.job_report import LISTED_FILES, JobReport, collect_report, read_answer
from batchscribe.client import Client
from batchscribe.errors import (
    BatchscribeError,
    DeliveryNotFound,
    FreshCredentialsNeeded,
    JobNotCancelable,
    JobNotFound,
    ServerRefused,
    UsageError,
)
from batchscribe.settings import Settings
from batchscribe.wire.answers import FileAnswer, JobAnswer
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState, JobState

with lazy_imports():
    from batchscribe.cli import environment_credentials
    from batchscribe.wire import trace_context

USUAL_PAGE_FILES = 200  #: what the server returns by default
REPORTED_FILES = 1000  #: a report reads all files of a job up to this number: five requests
UNAUTHORIZED, NOT_FOUND, TOO_MANY_REQUESTS = 401, 404, 429


class ServedJobs:
    """A `JobSource` that queries a server, which also accepts new jobs."""

    def __init__(self, client: Client, *, has_key: bool) -> None:
        self._client = client
        self._has_key = has_key

    def submit(self, body: JsonObject, *, idempotency_key: str | None) -> JsonObject:
        with self._explain_errors():
            traceparent = trace_context.traceparent_of(os.environ)
            return self._client.submit(body, idempotency_key=idempotency_key, traceparent=traceparent).raw

    def dry_run(self, body: JsonObject) -> JsonObject:
        with self._explain_errors():
            return self._client.dry_run(body).raw

    def jobs(self, *, state: JobState | None, limit: int) -> Iterator[JsonObject]:
        with self._explain_errors():
            yield from (job.raw for job in self._client.jobs(state=state, limit=limit))

    def job(self, job_id: str) -> JsonObject:
        with self._explain_errors(job_id):
            return self._client.job(job_id).raw

    def find_interrupted(self, jobs: Sequence[JsonObject]) -> Mapping[str, str]:
        """A server's jobs wait in its queue until a worker takes them."""
        return {}

    def files(self, job_id: str, *, state: FileState | None = None, limit: int | None = None) -> Iterator[JsonObject]:
        page_size = limit if limit is not None and limit < USUAL_PAGE_FILES else None
        with self._explain_errors(job_id):
            files = self._client.files(job_id, state=state, page_size=page_size)
            yield from (file.raw for file in islice(files, limit))

    def search(self, query: str, *, limit: int) -> Iterator[JsonObject]:
        with self._explain_errors():
            yield from (match.raw for match in self._client.search(query, limit=limit))

    def report(self, job_id: str) -> JobReport:
        """Read a report. It omits the warnings and codes of larger jobs, because the server cannot filter by them."""
        job = read_answer(JobAnswer, self.job(job_id))
        if job.summary.total_files <= REPORTED_FILES:
            return collect_report(job, self._read_files(job))
        failed, skipped = (
            list(self._read_files(job, state=state, limit=LISTED_FILES)) if count else []
            for state, count in ((FileState.FAILED, job.summary.failed), (FileState.SKIPPED, job.summary.skipped))
        )
        return JobReport(job, failed, skipped)

    def _read_files(
        self, job: JobAnswer, *, state: FileState | None = None, limit: int | None = None
    ) -> Iterator[FileAnswer]:
        return (read_answer(FileAnswer, body) for body in self.files(job.job_id, state=state, limit=limit))

    def is_done_here(self, job_id: str) -> bool:
        return False

    def retry(self, job_id: str) -> JsonObject:
        """Send the credentials in the environment for each side that is in a cloud."""
        job = read_answer(JobAnswer, self.job(job_id))
        inputs = [str(uri) for uri in job.input.get("manifest") or [job.input.get("uri", "")]]
        output = str(job.output.get("uri", ""))
        with self._explain_errors(job_id):
            return self._client.retry(
                job_id,
                input_auth=environment_credentials.read_auth(inputs),
                output_auth=environment_credentials.read_auth([output]),
            ).raw

    def cancel(self, job_id: str) -> None:
        with self._explain_errors(job_id):
            self._client.cancel(job_id)

    def delete(self, job_id: str) -> None:
        with self._explain_errors(job_id):
            self._client.delete(job_id)

    def deliveries(self, job_id: str) -> JsonObject:
        with self._explain_errors(job_id):
            return self._client.deliveries(job_id).raw

    def replay(self, job_id: str, event_id: str) -> JsonObject:
        with self._explain_errors(job_id):
            return self._client.replay(job_id, event_id).raw

    def wait(self, job_id: str, *, timeout_sec: float | None, seen: Callable[[JsonObject], None]) -> JsonObject:
        with self._explain_errors(job_id):
            return self._client.wait(job_id, timeout_sec=timeout_sec, on_poll=lambda job: seen(job.raw)).raw

    @contextmanager
    def _explain_errors(self, job_id: str = "") -> Iterator[None]:
        try:
            yield
        except ServerRefused as error:
            raise explain_refusal(error, self._client.server, job_id, has_key=self._has_key) from error


@contextmanager
def open_served_jobs(settings: Settings) -> Iterator[ServedJobs]:
    """Connect with the server and key of the settings. Raises `UsageError` if the server is not a URL."""
    secret = settings.api_secret.get_secret_value() if settings.api_secret else None
    with Client(settings.server or "", api_key=settings.api_key, api_secret=secret) as client:
        yield ServedJobs(client, has_key=bool(settings.api_key or secret))


def explain_refusal(error: ServerRefused, server: str, job_id: str, *, has_key: bool) -> BatchscribeError:
    """Return a `UsageError` if the command must change, and a `ServerRefused` if it may succeed later."""
    message = format_text(error.message)
    if error.status == UNAUTHORIZED:
        return UsageError(_explain_key(message, server, has_key=has_key))
    if error.reason == JobNotFound.code:
        return JobNotFound(f"There is no job {job_id} at {server}; `batchscribe jobs list` shows all jobs.")
    if error.reason == JobNotCancelable.code:
        return JobNotCancelable(message)
    if error.reason == DeliveryNotFound.code:
        return DeliveryNotFound(message)
    if error.reason == FreshCredentialsNeeded.code:
        return FreshCredentialsNeeded(f"{message.partition(';')[0]}; {environment_credentials.SET_CREDENTIALS}")
    if error.status == NOT_FOUND and not error.reason:
        return UsageError(f"{server} has no such path (404); is it a batchscribe server?")
    if 400 <= error.status < 500 and error.status != TOO_MANY_REQUESTS:
        return UsageError(f"{server} refused: {message}")
    message = message if server in message else f"{server}: {message}"
    return ServerRefused(message, status=error.status, reason=error.reason, body=error.body)


def _explain_key(message: str, server: str, *, has_key: bool) -> str:
    both = "BATCHSCRIBE_API_KEY and BATCHSCRIBE_API_SECRET"
    if has_key:
        return f"{server} does not accept the API key ({message.rstrip('.')}); check {both}."
    return f"{server} asks for an API key; set {both}, as `batchscribe keys create` printed them there."
