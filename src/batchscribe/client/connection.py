"""The connection to one server: its address, and requests with retries where they are safe."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx2

from batchscribe import __version__
from batchscribe.client.key import BearerAuth, Key
from batchscribe.errors import ServerError, ServerUnreachable, UsageError

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


PAUSES_SEC = (0.25, 0.5, 1.0)  #: between the attempts of a request that gets no response
LONGEST_PAUSE_SEC = 10.0
TOO_MANY_REQUESTS, UNAVAILABLE = 429, 503  #: a request answered with 429 was not processed
#: These occur before anything is sent, so any request can be retried.
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `repeatable` means idempotent: the server may receive it twice without further effect."""

    method: str
    url: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)  #: may hold credentials
    repeatable: bool = True


class Connection:
    """A client of one server that keeps its sockets open between requests."""

    def __init__(
        self, address: Address, key: Key | None, *, timeout_sec: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._server = address.shown
        self._timeout_sec = timeout_sec
        self._sleep = sleep
        self._http = httpx2.Client(
            auth=BearerAuth(key) if key else None,
            timeout=timeout_sec,
            headers={"User-Agent": f"batchscribe/{__version__}"},
        )

    def close(self) -> None:
        self._http.close()

    def send(self, call: Call) -> httpx2.Response:
        """Send the request, with retries, and return the last response. Raises `ServerUnreachable`, `ServerError`."""
        for pause_sec in PAUSES_SEC:
            outcome = self._send_once(call)
            wait_sec = _pause_after(outcome, call, pause_sec)
            if wait_sec is None:
                break
            self._sleep(wait_sec)
        else:
            outcome = self._send_once(call)
        if isinstance(outcome, httpx2.TransportError):
            raise self._unreachable(outcome) from outcome
        return outcome

    def _send_once(self, call: Call) -> httpx2.Response | httpx2.TransportError:
        try:
            return self._http.request(
                call.method, call.url, params=call.query, headers=call.headers, content=call.content
            )
        except httpx2.TransportError as error:
            return error
        except httpx2.DecodingError as error:
            raise ServerError(f"The answer from {self._server} cannot be decoded ({error}).") from error

    def _unreachable(self, error: httpx2.TransportError) -> ServerUnreachable:
        if isinstance(error, httpx2.TimeoutException):
            return ServerUnreachable(f"{self._server} did not answer within {self._timeout_sec:g} s.")
        return ServerUnreachable(
            f"{self._server} cannot be reached ({error}); check the address, and that `batchscribe serve` runs there."
        )


def _pause_after(outcome: httpx2.Response | httpx2.TransportError, call: Call, pause_sec: float) -> float | None:
    """Return the seconds to wait before a retry; None if the request must not be retried."""
    if isinstance(outcome, httpx2.TransportError):
        return pause_sec if call.repeatable or isinstance(outcome, NOT_SENT) else None
    may_repeat = outcome.status_code == TOO_MANY_REQUESTS or (outcome.status_code == UNAVAILABLE and call.repeatable)
    return parse_retry_after(outcome.headers.get("Retry-After")) if may_repeat else None


def parse_retry_after(retry_after: str | None) -> float | None:
    """Return the pause in seconds, at most `LONGEST_PAUSE_SEC`. A date, as some proxies send it, counts as that."""
    if retry_after is None:
        return None
    is_number = retry_after.isascii() and retry_after.isdigit()
    return min(float(retry_after), LONGEST_PAUSE_SEC) if is_number else LONGEST_PAUSE_SEC
