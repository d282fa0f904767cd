"""What a recording turned out to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Media:
    """Facts of one recording, known once it is decoded.

    `channels` and `sample_rate` (Hz) are those of its audio track; `warnings` are sentences for the reader of the
    transcript.
    """

    duration_sec: float
    channels: int
    container: str
    codec: str
    sample_rate: int
    warnings: tuple[str, ...]
