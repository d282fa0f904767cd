"""An asynchronous client: submit jobs to a server and follow them, from Python."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self, TypeVar, Unpack

from batchscribe.client.address import Address
from batchscribe.client.connection import AsyncConnection
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


class AsyncClient:
    """A client of asyncio for one server; an asynchronous context manager.

    Methods return models, with the server's JSON object in `raw`.

    With both `api_key` and `api_secret`, each request gets its own signed token. With only one, it is sent unchanged.
    Every method raises `ServerUnreachable`; `ServerRefused` if the server answers with an error; and `ServerError` if
    the answer is malformed. A request that is safe to repeat is tried up to four times.
    """

    def __init__(
        self, server: str, *, api_key: str | None = None, api_secret: str | None = None, timeout_sec: float = 30.0
    ) -> None:
        """`timeout_sec` applies to each attempt of a request. Raises `UsageError` if `server` is not a server URL."""
        self._routes = Routes(Address.of(server), timeout_sec)
        self._connection = AsyncConnection(key_of(api_key, api_secret), timeout_sec=timeout_sec)

    def __repr__(self) -> str:
        return f"AsyncClient({self.server!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._connection.close()

    @property
    def server(self) -> str:
        """The server's URL without a password, for messages."""
        return self._routes.address.shown

    async def submit(
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
        return await self._connection.carry_out(steps)

    async def dry_run(self, body: JsonObject | None = None, **fields: Unpack[JobFields]) -> PlannedJob:
        """Report what `submit` would do: counts, the first planned outputs, warnings. Nothing is stored."""
        return await self._connection.carry_out(self._routes.dry_run(job_body(body, fields)))

    async def jobs(self, *, state: str | None = None, limit: int | None = None) -> AsyncIterator[JobStatus]:
        """Yield the jobs, newest first, requesting page by page."""
        async for item in self._items(self._routes.jobs(state, limit)):
            yield item

    async def job(self, job_id: str) -> JobStatus:
        return await self._connection.carry_out(self._routes.job(job_id))

    async def files(
        self, job_id: str, *, state: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[FileStatus]:
        """Yield the files in the order in which they were found, requesting page by page."""
        async for item in self._items(self._routes.files(job_id, state, page_size)):
            yield item

    async def file(self, job_id: str, file_id: str) -> FileStatus:
        return await self._connection.carry_out(self._routes.file(job_id, file_id))

    async def search(self, query: str, *, limit: int | None = None) -> AsyncIterator[SpokenMatch]:
        """Yield the segments of transcripts that match, the latest first, requesting page by page.

        Raises `ServerRefused` if the query is invalid or the server has no search.
        """
        async for item in self._items(self._routes.search(query, limit)):
            yield item

    async def cancel(self, job_id: str) -> None:
        """Cancel the job; finished transcripts are kept. Raises `ServerRefused` if it has already ended."""
        await self._connection.carry_out(self._routes.cancel(job_id))

    async def renew_credentials(
        self, job_id: str, *, input_auth: JsonObject | None = None, output_auth: JsonObject | None = None
    ) -> None:
        """Send fresh credentials for the job, in the form of `input.auth` and `output.auth` of a submission.

        Raises `ServerRefused` if the job has ended.
        """
        auths = {"input": input_auth, "output": output_auth}
        await self._connection.carry_out(self._routes.renew_credentials(job_id, auths))

    async def retry(
        self, job_id: str, *, input_auth: JsonObject | None = None, output_auth: JsonObject | None = None
    ) -> JobStatus:
        """Retry the failed files of an ended job. Return the job, perhaps with `warnings`.

        Give credentials as for `renew_credentials`. Jobs with storage in a cloud usually need them, because a job's
        own are deleted at its end. After a lost connection, the request is not repeated, because the server may have
        opened the job again already.
        """
        return await self._connection.carry_out(
            self._routes.retry(job_id, {"input": input_auth, "output": output_auth})
        )

    async def delete(self, job_id: str) -> None:
        """Delete a job and everything that the server's database stores about it. Transcripts in storage are kept."""
        await self._connection.carry_out(self._routes.delete(job_id))

    async def deliveries(self, job_id: str) -> SentEvents:
        """Return the latest webhook events of a job, and whether they can be sent again."""
        return await self._connection.carry_out(self._routes.deliveries(job_id))

    async def replay(self, job_id: str, event_id: str) -> SentEvent:
        """Send a webhook event again, and return its delivery. Receivers recognize it by its `event_id`."""
        return await self._connection.carry_out(self._routes.replay(job_id, event_id))

    async def wait(
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
        return await self._connection.carry_out(self._routes.wait(job_id, timeout_sec, pace, on_poll))

    async def create_vocabulary(self, body: JsonObject, *, idempotency_key: str | None = None) -> ListedVocabulary:
        """Store a vocabulary, with `phrases` and optionally `aliases` and a `name`, and return it.

        Its `vocabulary_id` is for `config.vocabulary_id` of jobs. The request has an idempotency key, as in `submit`.
        """
        return await self._connection.carry_out(self._routes.create_vocabulary(body, idempotency_key))

    async def vocabularies(self, *, limit: int | None = None) -> AsyncIterator[ListedVocabulary]:
        """Yield the vocabularies, newest first, requesting page by page."""
        async for item in self._items(self._routes.vocabularies(limit)):
            yield item

    async def vocabulary(self, vocabulary_id: str) -> ListedVocabulary:
        return await self._connection.carry_out(self._routes.vocabulary(vocabulary_id))

    async def delete_vocabulary(self, vocabulary_id: str) -> None:
        """Delete the vocabulary. Jobs that use it keep a copy."""
        await self._connection.carry_out(self._routes.delete_vocabulary(vocabulary_id))

    async def _items(self, walk: PageWalk[I]) -> AsyncIterator[I]:
        while not walk.has_ended:
            for item in await self._connection.carry_out(walk.next_page()):
                yield item
