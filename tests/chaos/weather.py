"""How a server outside is doing: well, or one of several kinds of badly, with what odds for each request."""

from __future__ import annotations

import threading
from enum import StrEnum
from random import Random


class Sky(StrEnum):
    CLEAR = "clear"
    REFUSES = "refuses"  #: answers 503 or 500
    SLOW = "slow"  #: answers after some seconds
    CUTS = "cuts"  #: closes the connection in the middle of an answer, or before it, whatever it has done by then
    STARVES = "starves"  #: takes a request and never answers, or sends a few bytes a second
    DOWN = "down"  #: takes no connection


class Weather:
    """Set by the harness, asked for each request. Thread-safe."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - no secret
        self._lock = threading.Lock()
        self._sky = Sky.CLEAR
        self._odds = 0.0
        self._bucket: str | None = None

    @property
    def sky(self) -> Sky:
        """As it was set, whatever the odds."""
        return self._sky

    def set(self, sky: Sky, odds: float = 1.0, *, bucket: str | None = None) -> None:
        """With `bucket`, for that one alone."""
        with self._lock:
            self._sky, self._odds, self._bucket = sky, odds, bucket

    def now(self, bucket: str | None = None) -> Sky:
        """For one request."""
        with self._lock:
            is_fine = self._bucket not in (None, bucket) or self._random.random() >= self._odds
            return Sky.CLEAR if is_fine else self._sky

    def is_heads(self) -> bool:
        """One of two ways to go wrong."""
        with self._lock:
            return self._random.random() < 0.5
