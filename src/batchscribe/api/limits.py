"""How many requests a tenant may make of this process."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from batchscribe.errors import InvalidSetting, TooManyRequests


class RateLimit:
    """A moving window for each tenant; none at all without a setting. Thread-safe."""

    def __init__(self, setting: str | None) -> None:
        """`setting` as `30/second`. Raises `InvalidSetting`."""
        self._item = None if setting is None else _parsed(setting)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, tenant: str) -> None:
        """Count a request. Raises `TooManyRequests`."""
        if self._item is None or self._limiter.hit(self._item, tenant):
            return
        reset_at = self._limiter.get_window_stats(self._item, tenant).reset_time
        wait_sec = max(1, math.ceil(reset_at - time.time()))
        raise TooManyRequests(
            f"More than {self._item.amount} requests in {self._item.get_expiry()} s; try again in {wait_sec} s.",
            retry_after_sec=wait_sec,
        )


def _parsed(setting: str) -> RateLimitItem:
    try:
        return parse(setting)
    except ValueError as error:
        sentence = f"BATCHSCRIBE_RATE_LIMIT: {setting!r} is no rate; write it like 30/second or 1000/minute."
        raise InvalidSetting(sentence) from error
