"""A clock that tests set, in place of `time.time` and `time.monotonic`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    now_sec: float = 0.0

    def __call__(self) -> float:
        return self.now_sec

    def advance(self, seconds: float) -> None:
        self.now_sec += seconds
