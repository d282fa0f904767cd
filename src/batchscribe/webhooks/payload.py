"""The body of a webhook, one event with the job as `GET` returns it; the result of an attempt; the retry schedule."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from random import random
from typing import Protocol

from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import JobState

RETRIED_STATUSES = frozenset({408, 425, 429})  # and 5xx


def new_event_id() -> str:
    """Return a new event ID. All attempts to deliver one event share it, so that the receiver recognizes duplicates."""
    return f"evt_{uuid.uuid4().hex}"


def event_type(state: JobState) -> str:
    return f"job.{state.lower()}"


def render_event(*, event_id: str, state: JobState, moment: float, job: JsonObject) -> bytes:
    """Render the event as ASCII JSON. `moment` is when the job entered the state, in Unix seconds."""
    event = {"event_type": event_type(state), "event_id": event_id, "event_ts": int(moment), "job": job}
    return json.dumps(event).encode()


MAX_DELAY_SEC = 6 * 3600.0
_MAX_DOUBLINGS = 60


def retry_delay_sec(
    attempt: int, *, first_sec: float, retry_after_sec: float | None, jitter: Callable[[], float] = random
) -> float:
    """Return the seconds from `attempt` (counted from 1) to the next: `first_sec`, doubled for each attempt before.

    A random part of at most half is subtracted, so that the webhooks of many jobs are not retried at once. A longer
    delay that the receiver requests is respected. Never more than 6 h.
    """
    doubled = first_sec * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS)
    own = min(doubled, MAX_DELAY_SEC) * (1 + jitter()) / 2
    requested = min(retry_after_sec or 0.0, MAX_DELAY_SEC)
    return max(own, requested)


def parse_retry_after(retry_after: str, *, moment: float) -> float | None:
    """Return the delay of a `Retry-After` header in seconds from `moment` (Unix), at most 6 h; None if malformed."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_DELAY_SEC)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:  # "-0000": the time is UTC and the sender's time zone unknown
        date = date.replace(tzinfo=UTC)
    return min(max(date.timestamp() - moment, 0.0), MAX_DELAY_SEC)


class DeliveryVerdict(StrEnum):
    DELIVERED = "DELIVERED"  #: the receiver has it
    RETRY = "RETRY"  #: the failure may be temporary
    REFUSED = "REFUSED"  #: the receiver rejected it; it is not sent again


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one attempt."""

    status: int | None  #: of the reply; None if there is none
    error: str | None  #: a sentence without the URL; None if it was delivered
    retry_after_sec: float | None  #: the delay that the receiver requested, at most 6 h
    took_sec: float

    @property
    def verdict(self) -> DeliveryVerdict:
        if self.status is None or self.status in RETRIED_STATUSES or self.status >= 500:
            return DeliveryVerdict.RETRY
        return DeliveryVerdict.DELIVERED if is_success(self.status) else DeliveryVerdict.REFUSED


class WebhookSender(Protocol):
    def send(self, *, url: str, secret: str | None, body: bytes, moment: float) -> Attempt:
        """Sign the body with the time `moment` (Unix seconds), send it once, and return the result."""
        ...


def is_success(status: int) -> bool:
    return 200 <= status < 300
