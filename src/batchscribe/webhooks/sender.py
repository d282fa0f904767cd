"""One attempt to deliver one webhook. The schedule decides about retries."""

from __future__ import annotations

import time
from collections.abc import Mapping

import httpcore2

from batchscribe import __version__
from batchscribe.errors import AddressNotAllowed
from batchscribe.outbound.guard import Resolve, resolve
from batchscribe.outbound.guarded_client import TOTAL_SEC, GuardedClient, Reply
from batchscribe.outbound.policy import Policy
from batchscribe.webhooks.payload import Attempt, is_success, parse_retry_after
from batchscribe.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature

#: Receivers expect exactly this type; some ignore the body if a charset follows.
CONTENT_TYPE = "application/json"


class Sender:
    """Signs webhooks and sends them to the addresses that the policy allows. Thread-safe."""

    def __init__(self, policy: Policy, *, timeout_sec: float = TOTAL_SEC, resolve: Resolve = resolve) -> None:
        self._client = GuardedClient(policy, timeout_sec=timeout_sec, resolve=resolve)
        self._timeout_sec = timeout_sec

    def send(self, *, url: str, secret: str | None, body: bytes, moment: float) -> Attempt:
        """Sign the body with the time `moment` (now, in Unix seconds) and send it once.

        A forbidden address counts as a temporary failure: a name may resolve differently the next time.
        """
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
            error = "The receiver's answer is not HTTP."
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
    retry_after = reply.headers.get("retry-after")
    return Attempt(
        status=reply.status,
        error=None if is_success(reply.status) else f"The receiver answered {reply.status}.",
        retry_after_sec=None if retry_after is None else parse_retry_after(retry_after, moment=moment),
        took_sec=took_sec,
    )
