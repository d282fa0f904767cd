"""PCM samples in containers that are wider than their bits, such as 24 bits in four bytes.

If a header gives 24 bits and four bytes per sample, it may be right or its block size may be wrong. The samples decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from batchscribe.audio.file_view import SeekableFile, read_at
from batchscribe.audio.wav_form import PCM, WavForm

_WIDEST_BYTES = 4
_LOOK_BYTES = 2**16
_LOOKS_AT = (0.0, 0.5, 0.9)  #: positions as shares of the samples; a recording may begin with silence
_MUCH_SMOOTHER = 0.5


def fit_form(file: SeekableFile, form: WavForm, start: int, end: int) -> WavForm:
    """Return the corrected form for the samples in the bytes `start` to `end`."""
    n_bytes = form.block_align // form.channels if form.channels else 0
    if form.kind != PCM or form.bits <= 8 or not form.sample_bytes < n_bytes <= _WIDEST_BYTES:
        return form.correct()
    looks = list(_looks(file, start, end, form.channels * form.sample_bytes * n_bytes))
    words = np.concatenate([_words(look, n_bytes) for look in looks])
    words = words[words.any(axis=1)]
    if _is_right_justified(words, form.sample_bytes):
        level = 2.0 ** (8 * (form.sample_bytes - n_bytes))
        return replace(form.correct(n_bytes), level=level)
    if _is_left_justified(words, form.sample_bytes) or _is_smooth(looks, form, n_bytes):
        return form.correct(n_bytes)
    return form.correct()


def _looks(file: SeekableFile, start: int, end: int, step: int) -> Iterator[bytes]:
    """Yield excerpts that begin with a sample of the first channel, whatever the sample width."""
    for share in _LOOKS_AT:
        offset = start + int((end - start) * share) // step * step
        content = read_at(file, offset, min(_LOOK_BYTES, end - offset))
        yield content[: len(content) // step * step]


def _words(content: bytes, n_bytes: int) -> NDArray[np.uint8]:
    """Return uint8[n_samples, n_bytes]."""
    return np.frombuffer(content, np.uint8).reshape(-1, n_bytes)


def _is_left_justified(words: NDArray[np.uint8], valid_bytes: int) -> bool:
    """Return whether the low bytes are unused."""
    return len(words) > 0 and not words[:, :-valid_bytes].any()


def _is_right_justified(words: NDArray[np.uint8], valid_bytes: int) -> bool:
    """Return whether the high bytes only repeat the sign."""
    signs = np.where(words[:, valid_bytes - 1] >= 0x80, 0xFF, 0)
    return len(words) > 0 and bool((words[:, valid_bytes:] == signs[:, np.newaxis]).all())


def _is_smooth(looks: list[bytes], form: WavForm, n_bytes: int) -> bool:
    """Return whether samples of `n_bytes` form a much smoother curve than narrower ones, which then are noise."""
    wide, narrow = (sum(_roughness(look, form.channels, n) for look in looks) for n in (n_bytes, form.sample_bytes))
    return wide < _MUCH_SMOOTHER * narrow


def _roughness(content: bytes, channels: int, n_bytes: int) -> float:
    """Return the mean absolute difference between consecutive samples."""
    high = np.ascontiguousarray(_words(content, n_bytes)[:, -2:]).view("<i2").reshape(-1, channels)
    return float(np.abs(np.diff(high.astype(np.int32), axis=0)).mean()) if len(high) > 1 else 0.0
