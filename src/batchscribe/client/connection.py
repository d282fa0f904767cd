"""Requests to one server: sent again where that can do no harm."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2

from batchscribe import __version__
from batchscribe.client.address import Address
from batchscribe.client.key import BearerAuth, Key
from batchscribe.errors import ServerError, ServerUnreachable

PAUSES_SEC = (0.25, 0.5, 1.0)  #: between the tries of a request that gets no answer
LONGEST_PAUSE_SEC = 10.0
TOO_MANY_REQUESTS, UNAVAILABLE = 429, 503  #: of these a 429 was turned away unread
#: Nothing was sent yet, so any request can be sent again.
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `repeatable`: the server may get it twice and has done no more than if it got it once."""

    method: str
    url: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)  #: may hold credentials
    repeatable: bool = True


class Connection:
    """Keeps its sockets open between requests."""

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
        """The last answer, whatever its status. Raises `ServerUnreachable`, `ServerError`."""
        for pause_sec in PAUSES_SEC:
            outcome = self._once(call)
            wait_sec = _pause_after(outcome, call, pause_sec)
            if wait_sec is None:
                break
            self._sleep(wait_sec)
        else:
            outcome = self._once(call)
        if isinstance(outcome, httpx2.TransportError):
            raise self._unreachable(outcome) from outcome
        return outcome

    def _once(self, call: Call) -> httpx2.Response | httpx2.TransportError:
        try:
            return self._http.request(
                call.method, call.url, params=call.query, headers=call.headers, content=call.content
            )
        except httpx2.TransportError as error:
            return error
        except httpx2.DecodingError as error:
            raise ServerError(f"{self._server} answered with bytes that cannot be read ({error}).") from error

    def _unreachable(self, error: httpx2.TransportError) -> ServerUnreachable:
        if isinstance(error, httpx2.TimeoutException):
            return ServerUnreachable(f"{self._server} did not answer within {self._timeout_sec:g} s.")
        return ServerUnreachable(
            f"{self._server} cannot be reached ({error}); check the address, and that `batchscribe serve` runs there."
        )


def _pause_after(outcome: httpx2.Response | httpx2.TransportError, call: Call, pause_sec: float) -> float | None:
    """Seconds until the request may be sent again; None when it is not to be."""
    if isinstance(outcome, httpx2.TransportError):
        return pause_sec if call.repeatable or isinstance(outcome, NOT_SENT) else None
    may_repeat = outcome.status_code == TOO_MANY_REQUESTS or (outcome.status_code == UNAVAILABLE and call.repeatable)
    return asked_pause_sec(outcome.headers.get("Retry-After")) if may_repeat else None


def asked_pause_sec(retry_after: str | None) -> float | None:
    """What the header asks for, up to the longest pause. A date, as proxies send it, counts as that."""
    if retry_after is None:
        return None
    is_number = retry_after.isascii() and retry_after.isdigit()
    return min(float(retry_after), LONGEST_PAUSE_SEC) if is_number else LONGEST_PAUSE_SEC
