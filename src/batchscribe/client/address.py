"""Where a server is: from what a person writes to the URL below which its routes are."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

import httpx2

from batchscribe.errors import UsageError

VERSION = "/v2"
SERVICE = "/aiservices/scribe"
MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """`service` may hold the password of a proxy; `shown` is for messages and holds none."""

    service: str = field(repr=False)
    shown: str

    @classmethod
    def of(cls, server: str) -> Address:
        """With or without the service's own path, and with or without a closing slash. Raises `UsageError`."""
        url = _parsed(server)
        if url is None:
            raise UsageError(f"{_without_userinfo(server)!r} is not a server's URL; write it like http://host:8080.")
        path = url.path.rstrip("/")
        service = str(url.copy_with(path=path + _missing(path)))
        return cls(service, _without_userinfo(str(url).rstrip("/")))

    def url(self, *parts: str) -> str:
        """Of a route, each of its parts quoted. Raises `UsageError` for a part that would name another route."""
        for part in parts:
            if part in ("", ".", ".."):
                raise UsageError(f"{part!r} is not the id of a job or file; `batchscribe jobs list` shows the jobs.")
        return "/".join([self.service, *(quote(part, safe="") for part in parts)])


def _parsed(server: str) -> httpx2.URL | None:
    """None for what is not the bare address of an HTTP server."""
    try:
        url = httpx2.URL(server.strip())
    except httpx2.InvalidURL:
        return None
    is_bare = not url.query and not url.fragment and (url.port or 0) <= MAX_PORT
    return url if url.scheme in ("http", "https") and url.host and is_bare else None


def _missing(path: str) -> str:
    if path.endswith(SERVICE):
        return ""
    return SERVICE if path.endswith(VERSION) else VERSION + SERVICE


def _without_userinfo(url: str) -> str:
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
