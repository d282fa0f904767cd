"""A blocking client: submit jobs to a server and follow them, from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar, Unpack

from batchscribe.client.address import Address
from batchscribe.client.connection import Connection
from batchscribe.client.job_fields import JobFields, job_body
from batchscribe.client.key import key_of
from batchscribe.client.page_walk import PageWalk
from batchscribe.client.polling import PollSchedule
from batchscribe.client.routes import Routes
from batchscribe.client.statuses import (
    FileStatus,
    JobStatus,
    ListedVocabulary,
    PlannedJob,
    SentEvent,
    SentEvents,
    SpokenMatch,
    SubmittedJob,
)
from batchscribe.wire.base import JsonObject

I = TypeVar("I")  # noqa: E741


class Client:
    """A client for one server; a context manager. Methods return models, with the server's JSON object in `raw`.

    With both `api_key` and `api_secret`, each request gets its own signed token. With only one, it is sent unchanged.
    Every method raises `ServerUnreachable`; `ServerRefused` if the server answers with an error; and `ServerError` if
    the answer is malformed. A request that is safe to repeat is tried up to four times.
    """

    def __init__(
        self, server: str, *, api_key: str | None = None, api_secret: str | None = None, timeout_sec: float = 30.0
    ) -> None:
        """`timeout_sec` applies to each attempt of a request. Raises `UsageError` if `server` is not a server URL."""
        self._routes = Routes(Address.of(server), timeout_sec)
        self._connection = Connection(key_of(api_key, api_secret), timeout_sec=timeout_sec)

    def __repr__(self) -> str:
        return f"Client({self.server!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    @property
    def server(self) -> str:
        """The server's URL without a password, for messages."""
        return self._routes.address.shown

    def submit(
        self,
        body: JsonObject | None = None,
        *,
        idempotency_key: str | None = None,
        traceparent: str | None = None,
        **fields: Unpack[JobFields],
    ) -> SubmittedJob:
        """Submit a job: a request body, or its fields as keywords. Raises `UsageError` if these do not fit together.

        The request always has an idempotency key, by default a new one, so that a retry creates no second job. The
        traces of the job's files link to the span of `traceparent` (W3C trace context).
        """
        steps = self._routes.submit(job_body(body, fields), idempotency_key, traceparent)
        return self._connection.carry_out(steps)

    def dry_run(self, body: JsonObject | None = None, **fields: Unpack[JobFields]) -> PlannedJob:
        """Report what `submit` would do: counts, the first planned outputs, warnings. Nothing is stored."""
        return self._connection.carry_out(self._routes.dry_run(job_body(body, fields)))

    def jobs(self, *, state: str | None = None, limit: int | None = None) -> Iterator[JobStatus]:
        """Yield the jobs, newest first, requesting page by page."""
        yield from self._items(self._routes.jobs(state, limit))

    def job(self, job_id: str) -> JobStatus:
        return self._connection.carry_out(self._routes.job(job_id))

    def files(self, job_id: str, *, state: str | None = None, page_size: int | None = None) -> Iterator[FileStatus]:
        """Yield the files in the order in which they were found, requesting page by page."""
        yield from self._items(self._routes.files(job_id, state, page_size))

    def file(self, job_id: str, file_id: str) -> FileStatus:
        return self._connection.carry_out(self._routes.file(job_id, file_id))

    def search(self, query: str, *, limit: int | None = None) -> Iterator[SpokenMatch]:
        """Yield the segments of transcripts that match, the latest first, requesting page by page.

        Raises `ServerRefused` if the query is invalid or the server has no search.
        """
        yield from self._items(self._routes.search(query, limit))

    def cancel(self, job_id: str) -> None:
        """Cancel the job; finished transcripts are kept. Raises `ServerRefused` if it has already ended."""
        self._connection.carry_out(self._routes.cancel(job_id))

    def renew_credentials(
        self, job_id: str, *, input_auth: JsonObject | None = None, output_auth: JsonObject | None = None
    ) -> None:
        """Send fresh credentials for the job, in the form of `input.auth` and `output.auth` of a submission.

        Raises `ServerRefused` if the job has ended.
        """
        auths = {"input": input_auth, "output": output_auth}
        self._connection.carry_out(self._routes.renew_credentials(job_id, auths))

    def retry(
        self, job_id: str, *, input_auth: JsonObject | None = None, output_auth: JsonObject | None = None
    ) -> JobStatus:
        """Retry the failed files of an ended job. Return the job, perhaps with `warnings`.

        Give credentials as for `renew_credentials`. Jobs with storage in a cloud usually need them, because a job's
        own are deleted at its end. After a lost connection, the request is not repeated, because the server may have
        opened the job again already.
        """
        return self._connection.carry_out(self._routes.retry(job_id, {"input": input_auth, "output": output_auth}))

    def delete(self, job_id: str) -> None:
        """Delete a job and everything that the server's database stores about it. Transcripts in storage are kept."""
        self._connection.carry_out(self._routes.delete(job_id))

    def deliveries(self, job_id: str) -> SentEvents:
        """Return the latest webhook events of a job, and whether they can be sent again."""
        return self._connection.carry_out(self._routes.deliveries(job_id))

    def replay(self, job_id: str, event_id: str) -> SentEvent:
        """Send a webhook event again, and return its delivery. Receivers recognize it by its `event_id`."""
        return self._connection.carry_out(self._routes.replay(job_id, event_id))

    def wait(
        self,
        job_id: str,
        *,
        timeout_sec: float | None = None,
        pace: PollSchedule = PollSchedule(),  # noqa: B008 - frozen
        on_poll: Callable[[JobStatus], None] = lambda job: None,
    ) -> JobStatus:
        """Poll the job until it has ended or the time has passed, and return its last state.

        Each polled state is passed to `on_poll`. Server outages of up to `pace.outage_sec` are tolerated, except on
        the first poll.
        """
        return self._connection.carry_out(self._routes.wait(job_id, timeout_sec, pace, on_poll))

    def create_vocabulary(self, body: JsonObject, *, idempotency_key: str | None = None) -> ListedVocabulary:
        """Store a vocabulary, with `phrases` and optionally `aliases` and a `name`, and return it.

        Its `vocabulary_id` is for `config.vocabulary_id` of jobs. The request has an idempotency key, as in `submit`.
        """
        return self._connection.carry_out(self._routes.create_vocabulary(body, idempotency_key))

    def vocabularies(self, *, limit: int | None = None) -> Iterator[ListedVocabulary]:
        """Yield the vocabularies, newest first, requesting page by page."""
        yield from self._items(self._routes.vocabularies(limit))

    def vocabulary(self, vocabulary_id: str) -> ListedVocabulary:
        return self._connection.carry_out(self._routes.vocabulary(vocabulary_id))

    def delete_vocabulary(self, vocabulary_id: str) -> None:
        """Delete the vocabulary. Jobs that use it keep a copy."""
        self._connection.carry_out(self._routes.delete_vocabulary(vocabulary_id))

    def _items(self, walk: PageWalk[I]) -> Iterator[I]:
        while not walk.has_ended:
            yield from self._connection.carry_out(walk.next_page())
