"""Level correction: amplification for the voice detector, and attenuation of samples beyond full scale.

Decoders of compressed audio and WAV files with floating-point samples may exceed full scale. If such speech is clipped,
it becomes a buzz in which engines recognize words that were not spoken. A WAV with floats is measured as a whole before
it is decoded, because some programs store the values of 16-bit samples (32,768 instead of 1.0). Other files cannot be
measured in advance, so each block is measured. Peaks slightly above full scale are usual in MP3 and AAC and are
clipped.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from math import log10

import numpy as np
from numpy.typing import NDArray

from batchscribe.audio.file_view import BLOCK_BYTES, SeekableFile, read_at
from batchscribe.audio.wav_header import WavSamples
from batchscribe.window import SAMPLE_RATE, Samples

#: Share of a block's samples that are at most as loud as its level; the others are clicks.
QUANTILE = 0.99
#: The level to which channels are amplified; 1.0 is full scale. Louder channels stay as they are.
TARGET_LEVEL = 0.1
MAX_GAIN = 100.0  #: 40 dB; more would turn silence into loud noise
#: The level falls by at most 1 dB per block, so a pause between two loud sentences is not amplified.
DECAY = 10 ** (-1 / 20)
#: A constant offset below this is harmless.
MIN_OFFSET = 0.05


class Loudness:
    """The level of one channel, block by block: that of the loudest block so far, with a slow decay.

    The voice detector misses speech below about -50 dB, and some voices already at -25 dB. With this amplification
    it detects everything that it detects in a louder copy.
    """

    def __init__(self) -> None:
        self._level = 0.0

    def state(self) -> float:
        return self._level

    def restore(self, state: float) -> None:
        self._level = state

    def amplify(self, block: Samples) -> Samples:
        """Return the block at a level that suits the voice detector."""
        block = remove_offset(block)
        own = float(np.quantile(np.abs(block), QUANTILE)) if len(block) else 0.0
        self._level = max(own, self._level * DECAY)
        gain = min(TARGET_LEVEL / self._level, MAX_GAIN) if self._level else 1.0
        return block if gain <= 1.0 else np.clip(block * np.float32(gain), -1.0, 1.0)


def remove_offset(block: Samples) -> Samples:
    """Remove a constant offset if it is louder than the sound in the block. Broken sound cards add such offsets.

    Blocks shorter than a tenth of a second are not changed, because their offset may be bass.
    """
    if len(block) < SAMPLE_RATE // 10:
        return block
    offset = np.float32(np.mean(block))
    if abs(offset) < MIN_OFFSET:
        return block
    centered = block - offset
    return centered if np.quantile(np.abs(centered), QUANTILE) < abs(offset) else block


ChannelSamples = NDArray[np.float32]  #: float32[n_channels, n_samples]

_ORDINARY = 2.0  #: times full scale, or 6 dB; lower levels are not changed
#: A block is attenuated if a larger share of its samples is louder than that. Fewer are clicks.
_LOUD_SHARE = 0.01
_CLIPPED_SHARE = 0.001  #: of a block that is attenuated
#: A pause is attenuated like the speech around it, but a burst of damage must not silence what follows. So a level
#: persists if a fifth of the last half minute had it.
_MEMORY_BLOCKS = 30
_LASTING_SHARE = 0.2


class Overload:
    """Attenuation of far too loud sound, in blocks of about a second."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=_MEMORY_BLOCKS)
        self._n_by_db: Counter[int] = Counter()  #: number of blocks by their own level
        self._n_blocks = 0

    @property
    def lasting(self) -> float:
        """The level that a fifth of the recording reaches; 1.0 if nothing but bursts is too loud."""
        wanted = _LASTING_SHARE * self._n_blocks
        n_louder = 0
        for level_db in sorted(self._n_by_db, reverse=True):
            n_louder += self._n_by_db[level_db]
            if n_louder >= wanted:
                return float(10 ** (level_db / 20))
        return 1.0

    def attenuate(self, samples: ChannelSamples) -> ChannelSamples:
        """Attenuate a block if necessary. `samples` must be finite."""
        own = _level_of(samples)
        self._levels.append(own)
        self._n_by_db[round(20 * log10(own))] += 1
        self._n_blocks += 1
        level = max(own, float(np.quantile(self._levels, 1.0 - _LASTING_SHARE, method="lower")))
        return samples if level <= _ORDINARY else samples / np.float32(level)


def _level_of(samples: ChannelSamples) -> float:
    if not samples.size or max(samples.max(), -samples.min()) <= _ORDINARY:
        return 1.0
    loudness = np.abs(samples)
    if np.mean(loudness > _ORDINARY) <= _LOUD_SHARE:
        return 1.0
    return float(np.quantile(loudness, 1.0 - _CLIPPED_SHARE))


#: Number of blocks that are measured, spread evenly: all of most recordings, but few enough to be read twice.
_LOOKS = 64
#: Share of samples that may be louder than the level; they are clicks and are clipped.
_CLICKS_SHARE = 1e-4
#: Values of 32-bit samples stored as floats are 187 dB above full scale; anything beyond is garbage.
_MAX_DB = 190
_NUMBERS = {16: "f2", 32: "f4", 64: "f8"}


def float_level(file: SeekableFile, samples: WavSamples) -> float:
    """Return the divisor that brings the samples within full scale; 1.0 for most files."""
    number = _NUMBERS.get(samples.form.bits)
    if not samples.form.is_float or number is None:
        return samples.form.level
    dtype = np.dtype((">" if samples.is_big_endian else "<") + number)
    by_db = np.zeros(_MAX_DB + 1, dtype=np.int64)
    n_samples = 0
    for start, end in _looks(samples, dtype.itemsize):
        content = read_at(file, start, max(0, end - start))
        values = np.frombuffer(content, dtype, count=len(content) // dtype.itemsize)
        by_db += _counts_by_db(values)
        n_samples += len(values)
    n_louder = by_db.sum() - np.cumsum(by_db)  # than each number of decibels
    level_db = int(np.argmax(n_louder <= _CLICKS_SHARE * n_samples))
    return float(10 ** (level_db / 20))


def _looks(samples: WavSamples, sample_bytes: int) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each excerpt in the file: within one block, and with whole samples."""
    first, n_blocks = samples.start // BLOCK_BYTES, -(-samples.end // BLOCK_BYTES) - samples.start // BLOCK_BYTES
    n_looks = min(_LOOKS, n_blocks)
    for number in range(n_looks):
        block = (first + n_blocks * number // n_looks) * BLOCK_BYTES
        start = max(samples.start, block)
        yield start + (samples.start - start) % sample_bytes, min(samples.end, block + BLOCK_BYTES)


def _counts_by_db(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return int64[191]: the number of values above full scale, by decibels, rounded up."""
    with np.errstate(invalid="ignore"):
        above = np.abs(values[np.abs(values) > 1.0]).astype(np.float64)
    decibels = np.ceil(20 * np.log10(above[np.isfinite(above)])).astype(np.int64)
    return np.bincount(decibels[decibels <= _MAX_DB], minlength=_MAX_DB + 1)
