"""How loud a WAV of floating-point samples is, which may go far beyond full scale.

Some programs write the numbers of 16-bit samples, 32,768 and not 1.0, and mixes go over. Clipped, such speech is a
buzz in which an engine hears what nobody said.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from batchscribe.audio.file_view import SeekableFile, read_at
from batchscribe.audio.remote_file import BLOCK_BYTES
from batchscribe.audio.wav_header import WavSamples

#: Blocks that are looked at, spread evenly: all of most recordings, and never so many that reading twice matters.
_LOOKS = 64
#: Of louder samples than the level there may be so many; they are clicks, and get clipped.
_CLICKS_SHARE = 1e-4
#: 32-bit samples as floats are 187 dB above full scale; beyond it there is only rubbish.
_MAX_DB = 190
_NUMBERS = {16: "f2", 32: "f4", 64: "f8"}


def float_level(file: SeekableFile, samples: WavSamples) -> float:
    """What the samples must be divided by to lie within full scale: 1.0 for most, which do already."""
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
    """Where they begin and end in the file: within one block of it each, and with whole samples."""
    first, n_blocks = samples.start // BLOCK_BYTES, -(-samples.end // BLOCK_BYTES) - samples.start // BLOCK_BYTES
    n_looks = min(_LOOKS, n_blocks)
    for number in range(n_looks):
        block = (first + n_blocks * number // n_looks) * BLOCK_BYTES
        start = max(samples.start, block)
        yield start + (samples.start - start) % sample_bytes, min(samples.end, block + BLOCK_BYTES)


def _counts_by_db(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """int64[191]: how many are above full scale, by decibels, rounded up."""
    with np.errstate(invalid="ignore"):
        above = np.abs(values[np.abs(values) > 1.0]).astype(np.float64)
    decibels = np.ceil(20 * np.log10(above[np.isfinite(above)])).astype(np.int64)
    return np.bincount(decibels[decibels <= _MAX_DB], minlength=_MAX_DB + 1)
