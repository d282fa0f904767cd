"""The jobs of a server, as its client sees them; what it refuses is told in the words of the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

from batchscribe.cli.refusals import explanation
from batchscribe.cli.served_summary import show_served
from batchscribe.client import Client
from batchscribe.errors import ServerRefused
from batchscribe.settings import Settings
from batchscribe.wire.model import JsonObject
from batchscribe.wire.states import FileState

USUAL_PAGE_FILES = 200  #: what the server gives without being asked


class ServedJobs:
    """A `JobSource` that asks a server, which can also be given new jobs."""

    def __init__(self, client: Client, *, has_key: bool) -> None:
        self._client = client
        self._has_key = has_key

    def submit(self, body: JsonObject, *, idempotency_key: str | None) -> JsonObject:
        with self._explained():
            return self._client.submit(body, idempotency_key=idempotency_key)

    def dry_run(self, body: JsonObject) -> JsonObject:
        with self._explained():
            return self._client.dry_run(body)

    def jobs(self, *, limit: int) -> Iterator[JsonObject]:
        with self._explained():
            yield from self._client.jobs(limit=limit)

    def job(self, job_id: str) -> JsonObject:
        with self._explained(job_id):
            return self._client.job(job_id)

    def files(self, job_id: str, *, state: FileState | None = None, limit: int | None = None) -> Iterator[JsonObject]:
        page_size = limit if limit is not None and limit < USUAL_PAGE_FILES else None
        with self._explained(job_id):
            yield from islice(self._client.files(job_id, state=state, page_size=page_size), limit)

    def cancel(self, job_id: str) -> None:
        with self._explained(job_id):
            self._client.cancel(job_id)

    def wait(self, job_id: str, *, timeout_sec: float | None, seen: Callable[[JsonObject], None]) -> JsonObject:
        with self._explained(job_id):
            return self._client.wait(job_id, timeout_sec=timeout_sec, on_poll=seen)

    def show(self, job_id: str) -> None:
        show_served(self.job(job_id), lambda state, limit: self.files(job_id, state=state, limit=limit))

    @contextmanager
    def _explained(self, job_id: str = "") -> Iterator[None]:
        try:
            yield
        except ServerRefused as error:
            raise explanation(error, self._client.server, job_id, has_key=self._has_key) from error


@contextmanager
def served_jobs(settings: Settings) -> Iterator[ServedJobs]:
    """Of the settings' server, with the settings' key. Raises `UsageError` for what is not a server's URL."""
    secret = settings.api_secret.get_secret_value() if settings.api_secret else None
    with Client(settings.server or "", api_key=settings.api_key, api_secret=secret) as client:
        yield ServedJobs(client, has_key=bool(settings.api_key or secret))
