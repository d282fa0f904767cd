"""Packing of neighboring stretches of speech into full windows, for engines that always process 30 s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchscribe.window import SAMPLE_RATE

if TYPE_CHECKING:  # servers import the limits below, and do not need ONNX Runtime
    from batchscribe.audio.speech_spans import Stretch

#: Pauses up to this long stay inside a window. Longer ones cost more than they gain: Whisper takes them for the end.
MAX_PAUSE_SEC = 3.0
#: The same if each window may be in a different language: the language changes only after a pause.
SHORT_PAUSE_SEC = 0.8


class Packer:
    """A packer that joins stretches into windows of at most `window_sec` on the recording's own clock.

    No pause inside a window is longer than `max_pause_sec`. A `window_sec` of 0 joins none.
    """

    def __init__(self, window_sec: float, max_pause_sec: float = MAX_PAUSE_SEC) -> None:
        self._longest = round(window_sec * SAMPLE_RATE)
        self._max_pause = round(max_pause_sec * SAMPLE_RATE)
        self.held: Stretch | None = None  #: the window that is being filled

    def accept(self, stretch: Stretch) -> list[Stretch]:
        """Return the windows that the next stretch completes."""
        held, self.held = self.held, stretch
        if held is None:
            return []
        if stretch.start - held.end > self._max_pause or stretch.end - held.start > self._longest:
            return [held]
        self.held = held._replace(end=stretch.end, speech=held.speech + stretch.speech)
        return []

    def settle(self, next_start: int) -> list[Stretch]:
        """Return the current window if no stretch that begins at `next_start` or later can join it."""
        if self.held is None:
            return []
        is_near = next_start - self.held.end <= self._max_pause and next_start - self.held.start < self._longest
        return [] if is_near else self.finish()

    def finish(self) -> list[Stretch]:
        held, self.held = self.held, None
        return [] if held is None else [held]

    def needed_from(self, next_start: int) -> int:
        """Return the first sample that a later window can contain if no later stretch begins before `next_start`."""
        return next_start if self.held is None else self.held.start
