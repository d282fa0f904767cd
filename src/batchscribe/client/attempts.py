"""Requests as values, and when one is repeated. Nothing here sends or sleeps."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

import httpx2

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


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds to sleep before the next step."""

    sec: float


Outcome = httpx2.Response | httpx2.TransportError | httpx2.DecodingError

T = TypeVar("T")
#: What to do on a server: it yields calls and pauses, gets the outcome of each call, and returns a result.
Steps = Generator[Call | Pause, Outcome | None, T]


def attempts(call: Call) -> Steps[Outcome]:
    """Send the request, with retries, and return the outcome of the last attempt."""
    for pause_sec in PAUSES_SEC:
        outcome = yield from _one_attempt(call)
        wait_sec = _pause_after(outcome, call, pause_sec)
        if wait_sec is None:
            return outcome
        yield Pause(wait_sec)
    return (yield from _one_attempt(call))


def _one_attempt(call: Call) -> Steps[Outcome]:
    outcome = yield call
    if outcome is None:
        raise RuntimeError("A call has an outcome.")
    return outcome


def _pause_after(outcome: Outcome, call: Call, pause_sec: float) -> float | None:
    """Return the seconds to wait before a retry; None if the request must not be retried."""
    if isinstance(outcome, httpx2.TransportError):
        return pause_sec if call.repeatable or isinstance(outcome, NOT_SENT) else None
    if isinstance(outcome, httpx2.DecodingError):
        return None
    may_repeat = outcome.status_code == TOO_MANY_REQUESTS or (outcome.status_code == UNAVAILABLE and call.repeatable)
    return parse_retry_after(outcome.headers.get("Retry-After") or _pause_in_body(outcome)) if may_repeat else None


def _pause_in_body(response: httpx2.Response) -> str | None:
    """Return `metadata.retry_after_seconds`, which the original may send instead of the header (contract 2)."""
    try:
        body = response.json()
    except ValueError:
        return None
    metadata = body.get("metadata") if isinstance(body, dict) else None
    seconds = metadata.get("retry_after_seconds") if isinstance(metadata, dict) else None
    return None if seconds is None else str(seconds)


def parse_retry_after(retry_after: str | None) -> float | None:
    """Return the pause in seconds, at most `LONGEST_PAUSE_SEC`. A date, as some proxies send it, counts as that."""
    if retry_after is None:
        return None
    is_number = retry_after.isascii() and retry_after.isdigit()
    return min(float(retry_after), LONGEST_PAUSE_SEC) if is_number else LONGEST_PAUSE_SEC
