"""When a webhook is sent again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from random import random

MAX_DELAY_SEC = 6 * 3600.0
_MAX_DOUBLINGS = 60


def retry_delay_sec(
    attempt: int, *, first_sec: float, retry_after_sec: float | None, jitter: Callable[[], float] = random
) -> float:
    """Seconds between `attempt`, counted from 1, and the next: at least half of `first_sec` doubled each time.

    The jitter keeps the webhooks of many jobs from coming back at once. What the receiver asks for is obeyed when it
    is longer. Never more than 6 h.
    """
    doubled = first_sec * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS)
    own = min(doubled, MAX_DELAY_SEC) * (1 + jitter()) / 2
    asked = min(retry_after_sec or 0.0, MAX_DELAY_SEC)
    return max(own, asked)


def asked_delay_sec(retry_after: str, *, moment: float) -> float | None:
    """The header `Retry-After`, in seconds from `moment` (Unix) and at most 6 h; None when it is no such header."""
    asked = retry_after.strip()
    if asked.isascii() and asked.isdigit():
        return min(float(asked), MAX_DELAY_SEC)
    try:
        date = parsedate_to_datetime(asked)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:  # "-0000": the time is UTC, and where it was written is not told
        date = date.replace(tzinfo=UTC)
    return min(max(date.timestamp() - moment, 0.0), MAX_DELAY_SEC)
