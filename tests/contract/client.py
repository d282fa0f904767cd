"""A strict client: it checks every answer against the contract before a test sees it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2

from tests.contract.strict import BASES, ENDED, Json, check_answer, parsed

BASE = BASES[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Json:
        return parsed(self.content)

    @property
    def reason(self) -> str:
        reason: str = self.body["reason"]
        return reason

    @property
    def fields(self) -> list[str]:
        """The invalid fields."""
        return [mistake["field"] for mistake in self.body.get("errors", [])]


@dataclass(slots=True)
class Client:
    """Sends `headers` with every request. `secrets` must be in no answer; `seen` keeps all of them."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    base: str = BASE
    secrets: tuple[str, ...] = ()
    seen: list[Answer] = field(default_factory=list)
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=60, trust_env=False))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def but(self, *, base: str | None = None, **headers: str) -> Client:
        """Return the same client with other headers (`x_api_key` for `x-api-key`) or another base."""
        others = {name.replace("_", "-"): value for name, value in headers.items()}
        return Client(self.url, others or self.headers, base or self.base, self.secrets, self.seen, self.http)

    def call(self, method: str, path: str, expect: int | None = None, **rest: Any) -> Answer:
        """`path` below the base; `rest` as httpx2 takes it."""
        return self.call_at(method, f"{self.base}{path}", expect, **rest)

    def call_at(self, method: str, path: str, expect: int | None = None, **rest: Any) -> Answer:
        """`path` from the root."""
        headers = self.headers | rest.pop("headers", {})
        response = self.http.request(method, f"{self.url}{path}", headers=headers, **rest)
        plain = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status_code, plain, response.content)
        self.check(method, urlsplit(path).path, answer)
        assert expect in (None, answer.status), (method, path, answer.status, answer.content[:2000])
        return answer

    def check(self, method: str, path: str, answer: Answer) -> None:
        self.seen.append(answer)
        check_answer(method, path, answer.status, answer.headers, answer.content)
        told = answer.content.decode() + str(answer.headers)
        assert not [secret for secret in self.secrets if secret in told], "a secret was told"

    def get(self, path: str, expect: int = 200, **query: Any) -> Json:
        return self.call("GET", path, expect, params=query).body

    def submit(self, body: object, headers: Mapping[str, str] | None = None, **query: Any) -> str:
        """Submit a job. Return its ID."""
        answer = self.call("POST", "/jobs", 201, json=body, headers=dict(headers or {}), params=query)
        job_id: str = answer.body["job_id"]
        return job_id

    def refused(self, body: object, **query: Any) -> Answer:
        return self.call("POST", "/jobs", 400, json=body, params=query)

    def job(self, job_id: str) -> Json:
        return self.get(f"/jobs/{job_id}")

    def echo(self, body: object) -> Json:
        """Submit a job and return it as the server shows it."""
        return self.job(self.submit(body))

    def cancel(self, job_id: str) -> None:
        self.call("DELETE", f"/jobs/{job_id}", 204)

    def ended(self, job_id: str, within_sec: float = 120) -> Json:
        """Wait for a final state. Return the job."""
        deadline = time.monotonic() + within_sec
        while (job := self.job(job_id))["state"] not in ENDED:
            assert time.monotonic() < deadline, job
            time.sleep(0.1)
        return job

    def done(self, body: object, within_sec: float = 120) -> Json:
        """Submit a job and wait for its end."""
        return self.ended(self.submit(body), within_sec)

    def files(self, job_id: str, **query: Any) -> list[Json]:
        """Return all items of all pages."""
        return [file for page in self.pages(f"/jobs/{job_id}/files", **query) for file in page["files"]]

    def jobs(self, **query: Any) -> list[Json]:
        """Return all items of all pages."""
        return [job for page in self.pages("/jobs", **query) for job in page["jobs"]]

    def pages(self, path: str, **query: Any) -> Iterator[Json]:
        page = self.get(path, **query)
        yield page
        while token := page["next_page_token"]:
            page = self.get(path, **query, next_page_token=token)
            yield page
