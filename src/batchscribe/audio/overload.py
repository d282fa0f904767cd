"""Sound far beyond full scale, as decoders of compressed audio and of floating-point samples may give it.

A WAV of floats is measured as a whole before it is decoded (`float_level`). Other files cannot be: there is only the
block in hand. Peaks somewhat above full scale are usual in MP3 and AAC, and are clipped.
"""

from __future__ import annotations

from collections import Counter, deque
from math import log10

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  #: float32[n_channels, n_samples]

_ORDINARY = 2.0  #: times full scale, or 6 dB; what stays below is not changed
#: A block is turned down if more of its samples are louder than that. Fewer are clicks.
_LOUD_SHARE = 0.01
_CLIPPED_SHARE = 0.001  #: of a block that is turned down
#: A pause stays as quiet as it is beside the speech around it, but a burst of damage must not silence what follows. So
#: a level lasts if a fifth of the last half minute had it.
_MEMORY_BLOCKS = 30
_LASTING_SHARE = 0.2


class Overload:
    """Turns down what is far too loud, block by block of about a second."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=_MEMORY_BLOCKS)
        self._n_by_db: Counter[int] = Counter()  #: blocks by their own level
        self._n_blocks = 0

    @property
    def lasting(self) -> float:
        """The level that a fifth of the recording has; 1.0 if it is not too loud, but for bursts."""
        wanted = _LASTING_SHARE * self._n_blocks
        n_louder = 0
        for level_db in sorted(self._n_by_db, reverse=True):
            n_louder += self._n_by_db[level_db]
            if n_louder >= wanted:
                return float(10 ** (level_db / 20))
        return 1.0

    def turned_down(self, samples: Samples) -> Samples:
        """`samples` must be finite."""
        own = _level_of(samples)
        self._levels.append(own)
        self._n_by_db[round(20 * log10(own))] += 1
        self._n_blocks += 1
        level = max(own, float(np.quantile(self._levels, 1.0 - _LASTING_SHARE, method="lower")))
        return samples if level <= _ORDINARY else samples / np.float32(level)


def _level_of(samples: Samples) -> float:
    if not samples.size or max(samples.max(), -samples.min()) <= _ORDINARY:
        return 1.0
    loudness = np.abs(samples)
    if np.mean(loudness > _ORDINARY) <= _LOUD_SHARE:
        return 1.0
    return float(np.quantile(loudness, 1.0 - _CLIPPED_SHARE))
