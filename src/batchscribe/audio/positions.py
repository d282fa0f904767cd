"""Positions in a recording before which a later decoding of it needs no voice detection.

The recording is decoded from its start again, because the state of FFmpeg cannot be stored. That is fast. The voice
detector takes two to three times as long, and its state is small. Runs only in the decoder process.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from batchscribe.audio.segmenter import Segmenter, VoicedSegmenter
from batchscribe.window import SAMPLE_RATE

#: Seconds of the recording between two positions.
INTERVAL_SEC = 60.0


class ParentLink(Protocol):
    """The receiver of a decoder's messages."""

    def tell(self, op: str, payload: bytes | memoryview = b"", **fields: object) -> None: ...

    def is_alive(self) -> None: ...


class Positions:
    """The positions of one track: the one to continue at, and those to report."""

    def __init__(self, parent: ParentLink, continue_at: bytes = b"") -> None:
        self._parent = parent
        self._continue_at: dict[str, Any] | None = json.loads(continue_at) if continue_at else None
        self._reported_sec = 0.0
        self.has_windows = self._continue_at is not None and bool(self._continue_at["has_windows"])

    def restore(self, segmenters: Sequence[Segmenter]) -> None:
        """Restore the segmenters of all channels, once."""
        state, self._continue_at = self._continue_at, None
        if state is None:
            return
        for segmenter, of_channel in zip(segmenters, state["segmenters"], strict=True):
            if isinstance(segmenter, VoicedSegmenter):
                segmenter.restore(of_channel)
                self._reported_sec = segmenter.judged / SAMPLE_RATE

    def report(self, segmenters: Sequence[Segmenter], *, has_found: bool) -> None:
        """Report the position, once a minute. All windows that end before it must have been sent."""
        self.has_windows |= has_found
        voiced = [segmenter for segmenter in segmenters if isinstance(segmenter, VoicedSegmenter)]
        position_sec = min((segmenter.judged for segmenter in voiced), default=0) / SAMPLE_RATE
        if position_sec - self._reported_sec < INTERVAL_SEC:
            return
        self._reported_sec = position_sec
        state = {"has_windows": self.has_windows, "segmenters": [segmenter.state() for segmenter in voiced]}
        self._parent.tell("position", json.dumps(state).encode())
