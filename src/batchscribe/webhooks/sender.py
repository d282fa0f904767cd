"""One attempt to deliver one webhook. When there is another is for the schedule."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import httpcore2

from batchscribe import __version__
from batchscribe.errors import AddressNotAllowed
from batchscribe.outbound.client import TOTAL_SEC, GuardedClient, Reply
from batchscribe.outbound.guard import Resolve, resolve
from batchscribe.outbound.policy import Policy
from batchscribe.webhooks.schedule import asked_delay_sec
from batchscribe.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature

#: Receivers read the raw body of exactly this type; with a charset behind it some of them read nothing.
CONTENT_TYPE = "application/json"
RETRIED_STATUSES = frozenset({408, 425, 429})  # beside 5xx


class Verdict(StrEnum):
    DELIVERED = "DELIVERED"  #: the receiver has it
    RETRY = "RETRY"  #: it may come right by itself
    REFUSED = "REFUSED"  #: the receiver does not want it; another attempt would be a nuisance


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt went."""

    status: int | None  #: of the reply; None when there was none
    error: str | None  #: a sentence without the URL; None when it was delivered
    retry_after_sec: float | None  #: what the receiver asked for, at most 6 h
    took_sec: float

    @property
    def verdict(self) -> Verdict:
        if self.status is None or self.status in RETRIED_STATUSES or self.status >= 500:
            return Verdict.RETRY
        return Verdict.DELIVERED if _is_success(self.status) else Verdict.REFUSED


class Sender:
    """Signs and sends, to where the policy lets it. Thread-safe."""

    def __init__(self, policy: Policy, *, timeout_sec: float = TOTAL_SEC, resolve: Resolve = resolve) -> None:
        self._client = GuardedClient(policy, timeout_sec=timeout_sec, resolve=resolve)
        self._timeout_sec = timeout_sec

    def send(self, *, url: str, secret: str | None, body: bytes, moment: float) -> Attempt:
        """`moment` is now, in Unix seconds: each attempt is signed anew. An address may be allowed the next time."""
        began_at = time.monotonic()
        reply: Reply | None = None
        error: str | None = None
        try:
            reply = self._client.post(url, body, _headers(body, secret, moment))
        except AddressNotAllowed as refusal:
            error = refusal.message
        except httpcore2.TimeoutException:
            error = f"The receiver did not answer within {self._timeout_sec:g} s."
        except httpcore2.NetworkError as failure:
            error = f"The receiver cannot be reached: {failure}."
        except httpcore2.ProtocolError:
            error = "The receiver answered with something that is not HTTP."
        took_sec = time.monotonic() - began_at
        if reply is None:
            return Attempt(status=None, error=error, retry_after_sec=None, took_sec=took_sec)
        return _attempt(reply, moment=moment, took_sec=took_sec)


def _headers(body: bytes, secret: str | None, moment: float) -> Mapping[str, str]:
    timestamp = int(moment)
    headers = {
        "Content-Type": CONTENT_TYPE,
        "User-Agent": f"batchscribe/{__version__}",
        TIMESTAMP_HEADER: str(timestamp),
    }
    if secret:
        headers[SIGNATURE_HEADER] = signature(body, secret=secret, timestamp=timestamp)
    return headers


def _attempt(reply: Reply, *, moment: float, took_sec: float) -> Attempt:
    asked = reply.headers.get("retry-after")
    return Attempt(
        status=reply.status,
        error=None if _is_success(reply.status) else f"The receiver answered {reply.status}.",
        retry_after_sec=None if asked is None else asked_delay_sec(asked, moment=moment),
        took_sec=took_sec,
    )


def _is_success(status: int) -> bool:
    return 200 <= status < 300
