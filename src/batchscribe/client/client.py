"""Submit jobs to a batchscribe server and follow them, from Python."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Self

from batchscribe.client.connection import Address, Call, Connection
from batchscribe.client.key import key_of
from batchscribe.client.polling import PollSchedule, wait_for_end
from batchscribe.client.server_answers import check, items_of, object_of
from batchscribe.errors import ServerError
from batchscribe.wire.base import JsonObject

USUAL_PAGE_HITS = 50  #: like those of jobs
USUAL_PAGE_JOBS = 50  #: the server's default page size (contract 1.1)


class Client:
    """A client for one server; a context manager. Jobs and files are the JSON objects that the server returns.

    With both `api_key` and `api_secret`, each request gets its own signed token. One of them alone is sent as it is.
    Every method raises `ServerUnreachable`; `ServerRefused` if the server answers with an error; and `ServerError` if
    the answer is malformed. A request that is safe to repeat is tried up to four times.
    """

    def __init__(
        self, server: str, *, api_key: str | None = None, api_secret: str | None = None, timeout_sec: float = 30.0
    ) -> None:
        """`timeout_sec` applies to each attempt of a request. Raises `UsageError` if `server` is not a server URL."""
        self._address = Address.of(server)
        self._connection = Connection(self._address, key_of(api_key, api_secret), timeout_sec=timeout_sec)

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
        return self._address.shown

    def submit(self, body: JsonObject, *, idempotency_key: str | None = None) -> JsonObject:
        """Submit a job and return its `job_id`, `state` and `submitted_at`.

        The request always has an idempotency key, by default a new one, so that a retry creates no second job.
        """
        return self._object(self._post(self._address.url("jobs"), body, headers=_name_request(idempotency_key)))

    def dry_run(self, body: JsonObject) -> JsonObject:
        """Report what `submit` would do: counts, the first planned outputs, warnings. Nothing is stored."""
        return self._object(self._post(self._address.url("jobs"), body, query={"dry_run": "true"}))

    def jobs(self, *, state: str | None = None, limit: int | None = None) -> Iterator[JsonObject]:
        """Yield the jobs, newest first, requesting page by page."""
        page_size = limit if limit is not None and limit < USUAL_PAGE_JOBS else None
        url = self._address.url("jobs")
        yield from islice(self._pages("jobs", url, state=state, page_size=page_size), limit)

    def job(self, job_id: str) -> JsonObject:
        return self._get(self._address.url("jobs", job_id))

    def files(self, job_id: str, *, state: str | None = None, page_size: int | None = None) -> Iterator[JsonObject]:
        """Yield the files in the order in which they were found, requesting page by page."""
        url = self._address.url("jobs", job_id, "files")
        yield from self._pages("files", url, state=state, page_size=page_size)

    def file(self, job_id: str, file_id: str) -> JsonObject:
        return self._get(self._address.url("jobs", job_id, "files", file_id))

    def search(self, query: str, *, limit: int | None = None) -> Iterator[JsonObject]:
        """Yield the segments of transcripts that match, the latest first, requesting page by page.

        Raises `ServerRefused` if the query is invalid or the server has no search.
        """
        page_size = limit if limit is not None and limit < USUAL_PAGE_HITS else None
        yield from islice(self._pages("hits", self._address.url("search"), q=query, page_size=page_size), limit)

    def cancel(self, job_id: str) -> None:
        """Cancel the job; finished transcripts are kept. Raises `ServerRefused` if it has already ended."""
        call = Call("DELETE", self._address.url("jobs", job_id), repeatable=False)
        check(self._connection.send(call), self.server)

    def renew_credentials(
        self,
        job_id: str,
        *,
        input_auth: JsonObject | None = None,
        output_auth: JsonObject | None = None,
        input_aws: JsonObject | None = None,
        output_aws: JsonObject | None = None,
    ) -> None:
        """Send fresh credentials for the job, in the form of `input.auth` and `output.auth` of a submission.

        `input_aws` and `output_aws` are short for the `aws` in them.

        Raises `ServerRefused` if the job has ended.
        """
        sides = {"input": (input_auth, input_aws), "output": (output_auth, output_aws)}
        auths = {name: (auth or {}) | ({"aws": aws} if aws is not None else {}) for name, (auth, aws) in sides.items()}
        body = {name: {"auth": auth} for name, auth in auths.items() if auth}
        call = Call(
            "PUT",
            self._address.url("jobs", job_id, "credentials"),
            content=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        check(self._connection.send(call), self.server)

    def retry(
        self, job_id: str, *, input_auth: JsonObject | None = None, output_auth: JsonObject | None = None
    ) -> JsonObject:
        """Retry the failed files of an ended job. Return the job, perhaps with `warnings`.

        The credentials are those of `renew_credentials`. Jobs with storage in a cloud usually need them, because a
        job's own are deleted at its end. Not repeated after a lost connection, because the job may be open again then.
        """
        sides = {"input": input_auth, "output": output_auth}
        body: JsonObject = {name: {"auth": auth} for name, auth in sides.items() if auth is not None}
        call = self._post(self._address.url("jobs", job_id, "retry"), body)
        return self._object(replace(call, repeatable=False))

    def delete(self, job_id: str) -> None:
        """Delete a job and everything that the server's database stores about it. Transcripts in storage are kept."""
        call = Call("DELETE", self._address.url("jobs", job_id), query={"purge": "true"}, repeatable=False)
        check(self._connection.send(call), self.server)

    def deliveries(self, job_id: str) -> JsonObject:
        """Return `deliveries`, the latest webhook events of a job, and `can_replay`."""
        return self._get(self._address.url("jobs", job_id, "deliveries"))

    def replay(self, job_id: str, event_id: str) -> JsonObject:
        """Send a webhook event again, and return its delivery. Receivers recognize it by its `event_id`."""
        return self._object(self._post(self._address.url("jobs", job_id, "deliveries", event_id, "replay"), {}))

    def wait(
        self,
        job_id: str,
        *,
        timeout_sec: float | None = None,
        pace: PollSchedule = PollSchedule(),  # noqa: B008 - frozen
        on_poll: Callable[[JsonObject], None] = lambda job: None,
    ) -> JsonObject:
        """Poll the job until it has ended or the time has passed, and return its last state.

        Each polled state is passed to `on_poll`. Server outages of up to `pace.outage_sec` are tolerated, except on
        the first poll.
        """
        return wait_for_end(lambda: self.job(job_id), timeout_sec=timeout_sec, pace=pace, on_poll=on_poll)

    def create_vocabulary(self, body: JsonObject, *, idempotency_key: str | None = None) -> JsonObject:
        """Store a vocabulary, with `phrases` and optionally `aliases` and a `name`, and return it.

        Its `vocabulary_id` is for `config.vocabulary_id` of jobs. The request has an idempotency key, as in `submit`.
        """
        url = self._address.asset_url("vocabularies")
        return self._object(self._post(url, body, headers=_name_request(idempotency_key)))

    def vocabularies(self, *, limit: int | None = None) -> Iterator[JsonObject]:
        """Yield the vocabularies, newest first, requesting page by page."""
        page_size = limit if limit is not None and limit < USUAL_PAGE_JOBS else None
        url = self._address.asset_url("vocabularies")
        yield from islice(self._pages("vocabularies", url, page_size=page_size), limit)

    def vocabulary(self, vocabulary_id: str) -> JsonObject:
        return self._get(self._address.asset_url("vocabularies", vocabulary_id))

    def delete_vocabulary(self, vocabulary_id: str) -> None:
        """Delete the vocabulary. Jobs that use it keep a copy."""
        call = Call("DELETE", self._address.asset_url("vocabularies", vocabulary_id), repeatable=False)
        check(self._connection.send(call), self.server)

    def _post(
        self, url: str, body: JsonObject, *, query: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> Call:
        return Call(
            "POST",
            url,
            query=query or {},
            content=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
        )

    def _get(self, url: str, query: dict[str, str] | None = None) -> JsonObject:
        return self._object(Call("GET", url, query=query or {}))

    def _pages(
        self, name: str, url: str, *, state: str | None = None, q: str | None = None, page_size: int | None = None
    ) -> Iterator[JsonObject]:
        parameters = {"state": state, "q": q, "page_size": page_size}
        query = {key: str(value) for key, value in parameters.items() if value is not None}
        while True:
            page = self._get(url, query=query)
            yield from items_of(page, name, self.server)
            token = page.get("next_page_token")
            if not token:
                return
            if not isinstance(token, str) or token == query.get("next_page_token"):
                raise ServerError(f"The list of pages from {self.server} does not end; is it a batchscribe server?")
            query = query | {"next_page_token": token}

    def _object(self, call: Call) -> JsonObject:
        return object_of(self._connection.send(call), self.server)


def _name_request(idempotency_key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
