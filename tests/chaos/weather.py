"""The state of an external server: good, or one of several faults with a probability for each request."""

from __future__ import annotations

import threading
from enum import StrEnum
from random import Random


class Sky(StrEnum):
    CLEAR = "clear"
    REFUSES = "refuses"  #: answers 503 or 500
    SLOW = "slow"  #: answers after some seconds
    CUTS = "cuts"  #: closes the connection within an answer or before it, after carrying out the request or not
    STARVES = "starves"  #: accepts a request and never answers, or sends a few bytes a second
    DOWN = "down"  #: accepts no connection


class Weather:
    """The weather is set by the harness and read for each request. Thread-safe."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - no secret
        self._lock = threading.Lock()
        self._sky = Sky.CLEAR
        self._odds = 0.0
        self._bucket: str | None = None

    @property
    def sky(self) -> Sky:
        """The weather as set, without its probability."""
        return self._sky

    def set(self, sky: Sky, odds: float = 1.0, *, bucket: str | None = None) -> None:
        """Set the weather; with `bucket`, for that bucket only."""
        with self._lock:
            self._sky, self._odds, self._bucket = sky, odds, bucket

    def now(self, bucket: str | None = None) -> Sky:
        """Return the weather for one request."""
        with self._lock:
            is_fine = self._bucket not in (None, bucket) or self._random.random() >= self._odds
            return Sky.CLEAR if is_fine else self._sky

    def is_heads(self) -> bool:
        """Choose one of two ways to fail."""
        with self._lock:
            return self._random.random() < 0.5
