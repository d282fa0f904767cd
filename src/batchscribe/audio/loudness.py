"""How loud a channel is, so that the voice detector hears quiet recordings as well as loud ones."""

from __future__ import annotations

import numpy as np

from batchscribe.window import SAMPLE_RATE, Samples

#: Share of the samples of a block that are at most as loud as its level; the others are clicks.
QUANTILE = 0.99
#: What the level is brought up to, 1.0 being full scale. Louder channels stay as they are.
TARGET_LEVEL = 0.1
MAX_GAIN = 100.0  #: 40 dB; more would turn silence into loud noise
#: The level falls by at most 1 dB a block, so a pause between two loud sentences stays as quiet as it is.
DECAY = 10 ** (-1 / 20)
#: A constant offset below this does no harm.
MIN_OFFSET = 0.05


class Loudness:
    """The level of one channel, block by block: that of the loudest block so far, which fades slowly.

    The voice detector misses speech below about -50 dB, and some voices already at -25 dB. With this amplification
    it finds all that it finds in a louder copy.
    """

    def __init__(self) -> None:
        self._level = 0.0

    def amplified(self, block: Samples) -> Samples:
        """The block, at a level that suits the voice detector."""
        block = without_offset(block)
        own = float(np.quantile(np.abs(block), QUANTILE)) if len(block) else 0.0
        self._level = max(own, self._level * DECAY)
        gain = min(TARGET_LEVEL / self._level, MAX_GAIN) if self._level else 1.0
        return block if gain <= 1.0 else np.clip(block * np.float32(gain), -1.0, 1.0)


def without_offset(block: Samples) -> Samples:
    """The block around zero, if a constant offset is louder than the sound in it, as broken sound cards make it.

    What is shorter than a tenth of a second may be mere bass.
    """
    if len(block) < SAMPLE_RATE // 10:
        return block
    offset = np.float32(np.mean(block))
    if abs(offset) < MIN_OFFSET:
        return block
    centred = block - offset
    return centred if np.quantile(np.abs(centred), QUANTILE) < abs(offset) else block
