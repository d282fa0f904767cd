"""A segment of a transcript as it is stored for search."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpokenSegment:
    """What was said from `start_sec` to `end_sec` of a recording. `speaker` is the label in the transcript, if any."""

    start_sec: float
    end_sec: float
    channel: int
    speaker: str | None
    text: str
