"""The address of one server and of its routes."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

import httpx2

from batchscribe.errors import UsageError

VERSION = "/v2"
SERVICE = "/aiservices/scribe"
ASSETS = "/aiservices/assets"
MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A server's base URL. `service` may hold a proxy password; `shown` has none and is for messages."""

    service: str = field(repr=False)
    shown: str

    @classmethod
    def of(cls, server: str) -> Address:
        """Parse a URL, with or without the path of the service or a trailing slash. Raises `UsageError`."""
        url = _parse(server)
        if url is None:
            raise UsageError(f"{_without_userinfo(server)!r} is not a server URL; write it like http://host:8080.")
        path = url.path.rstrip("/")
        service = str(url.copy_with(path=path + _missing_path(path)))
        return cls(service, _without_userinfo(str(url).rstrip("/")))

    def url(self, *parts: str) -> str:
        """Return the URL of a route, with quoted parts. Raises `UsageError` if a part would lead to another route."""
        for part in parts:
            if part in ("", ".", ".."):
                raise UsageError(f"{part!r} is not a job or file ID; `batchscribe jobs list` shows the jobs.")
        return _join(self.service, parts)

    def asset_url(self, *parts: str) -> str:
        """Return the URL of a route of vocabularies. Raises `UsageError` as `url` does."""
        for part in parts:
            if part in ("", ".", ".."):
                raise UsageError(f"{part!r} is not the ID of a vocabulary; `batchscribe vocabularies list` shows them.")
        return _join(self.service.removesuffix(SERVICE) + ASSETS, parts)


def _join(base: str, parts: tuple[str, ...]) -> str:
    return "/".join([base, *(quote(part, safe="") for part in parts)])


def _parse(server: str) -> httpx2.URL | None:
    """Return None unless this is an HTTP URL without a query and fragment."""
    try:
        url = httpx2.URL(server.strip())
    except httpx2.InvalidURL:
        return None
    is_bare = not url.query and not url.fragment and (url.port or 0) <= MAX_PORT
    return url if url.scheme in ("http", "https") and url.host and is_bare else None


def _missing_path(path: str) -> str:
    if path.endswith(SERVICE):
        return ""
    return SERVICE if path.endswith(VERSION) else VERSION + SERVICE


def _without_userinfo(url: str) -> str:
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
