"""Sound far beyond full scale, as decoders of compressed audio and of floating-point samples may give it.

A WAV of floats is measured as a whole before it is decoded (`float_level`). Other files cannot be: there is only the
block in hand. Peaks somewhat above full scale are usual in MP3 and AAC, and are clipped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  #: float32[n_channels, n_samples]

_ORDINARY = 2.0  #: times full scale, or 6 dB; what stays below is not changed
#: A block is turned down if more of its samples are louder than that. Fewer are clicks.
_LOUD_SHARE = 0.01
_CLIPPED_SHARE = 0.001  #: of a block that is turned down
#: How the level falls from one second to the next. One damaged packet must not silence an hour.
_RELEASE = 0.7


class Overload:
    """Turns down what is far too loud, block by block of about a second."""

    def __init__(self) -> None:
        self._level = 1.0  #: what samples are divided by
        self.highest = 1.0  #: of all levels so far

    def turned_down(self, samples: Samples) -> Samples:
        """`samples` must be finite."""
        self._level = max(self._level * _RELEASE, _level_of(samples))
        if self._level <= _ORDINARY:
            self._level = 1.0
            return samples
        self.highest = max(self.highest, self._level)
        return samples / np.float32(self._level)


def _level_of(samples: Samples) -> float:
    if not samples.size or max(samples.max(), -samples.min()) <= _ORDINARY:
        return 1.0
    loudness = np.abs(samples)
    if np.mean(loudness > _ORDINARY) <= _LOUD_SHARE:
        return 1.0
    return float(np.quantile(loudness, 1.0 - _CLIPPED_SHARE))
