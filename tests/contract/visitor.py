"""A person who is signed in to the web interface, as a browser sends requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from tests.contract.server import Key, Server
from tests.contract.strict import Json


@dataclass(slots=True)
class Visitor:
    """`secrets` must be in no answer."""

    url: str
    secrets: tuple[str, ...] = ()
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=60, trust_env=False))

    @classmethod
    def signed_in(cls, server: Server, key: Key, *secrets: str) -> Visitor:
        visitor = cls(server.url, (*secrets, key.api_secret))
        answer = visitor.ask("POST", "/signin", data={"secret": key.api_secret})
        assert answer.status_code == 303, answer.text
        return visitor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def ask(self, method: str, path: str, **rest: Any) -> httpx2.Response:
        headers = {"Sec-Fetch-Site": "same-origin"} | rest.pop("headers", {})
        answer = self.http.request(method, self.url + path, headers=headers, follow_redirects=False, **rest)
        said = answer.content.decode(errors="replace") + str(answer.headers)
        assert not [secret for secret in self.secrets if secret in said], "a secret was told"
        assert "location" not in answer.headers or not answer.headers["location"].startswith("http")
        return answer

    def get(self, path: str, status: int = 200, **headers: str) -> httpx2.Response:
        answer = self.ask("GET", path, headers=headers)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:1000])
        return answer

    def read(self, path: str) -> Json:
        found: Json = self.get(path).json()
        return found

    def reason(self, path: str, status: int, **headers: str) -> str:
        reason: str = self.get(path, status, **headers).json()["reason"]
        return reason

    def send(self, path: str, status: int = 200, **fields: str) -> httpx2.Response:
        answer = self.ask("POST", path, data=fields)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:1000])
        return answer
