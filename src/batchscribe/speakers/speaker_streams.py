"""The local speakers of overlapping windows, joined into streams."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from batchscribe.speakers.local_speakers import FRAME_HOP, STREAMS, WINDOW_FRAMES

STEP_FRAMES = 432  #: from one window to the next, 7.29 s: a whole number of frames of both models
STEP_SAMPLES = STEP_FRAMES * FRAME_HOP

_ORDERS = [list(order) for order in permutations(range(STREAMS))]
_WEIGHTS = np.hamming(WINDOW_FRAMES).astype(np.float32)[:, None]

Activity = NDArray[np.bool_]  #: bool[n_frames, STREAMS]: whether a stream has speech


class SpeakerStreams:
    """Joins windows, in order: the speakers of each window continue the streams that match them in the overlap.

    A stream follows one speaker for as long as the windows overlap in that speaker's speech. Beyond that it may
    continue with another speaker, so streams are cut into chunks, and voices decide who it is.
    """

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._sums = np.zeros((WINDOW_FRAMES, STREAMS), dtype=np.float32)
        self._weights = np.zeros((WINDOW_FRAMES, 1), dtype=np.float32)

    def add(self, window: NDArray[np.float32]) -> Activity:
        """Add float32[WINDOW_FRAMES, STREAMS], the next window. Returns its first `STEP_FRAMES`, which are final."""
        if self._last is not None:
            window = window[:, _best_order(self._last[STEP_FRAMES:], window[:-STEP_FRAMES])]
        self._last = window
        self._sums += window * _WEIGHTS
        self._weights += _WEIGHTS
        done = self._activity()[:STEP_FRAMES]
        self._sums = _shift(self._sums)
        self._weights = _shift(self._weights)
        return done

    def rest(self) -> Activity:
        """Return the frames after those that `add` returned, up to the end of the last window."""
        end = WINDOW_FRAMES - STEP_FRAMES
        return self._activity()[:end] if self._last is not None else np.zeros((0, STREAMS), dtype=bool)

    def _activity(self) -> Activity:
        return np.asarray(self._sums > 0.5 * np.maximum(self._weights, _WEIGHTS.min()))


def _best_order(before: NDArray[np.float32], after: NDArray[np.float32]) -> list[int]:
    agreement = before.T @ after
    return max(_ORDERS, key=lambda order: float(agreement[range(STREAMS), order].sum()))


def _shift(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate((frames[STEP_FRAMES:], np.zeros_like(frames[:STEP_FRAMES])))
