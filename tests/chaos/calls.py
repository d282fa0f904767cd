"""Recordings that say a number. The engine here recognizes it, so each transcript identifies its recording."""

from __future__ import annotations

import io
import wave

import numpy as np

from batchscribe.window import SAMPLE_RATE, Samples

BITS = 24
BIT_SAMPLES = SAMPLE_RATE // 100
LOUD, FAINT = 8000, 1000  #: of 32767
PIECE_SEC = 29.7  #: followed by silence, where recordings are cut into windows
SILENCE_SEC = 0.2
SHORT_SEC, LAST_SEC = 0.4, 0.5


def call(number: int, *, pieces: int = 1) -> bytes:
    """Return a WAV file. With two pieces it has two windows, and each says the number."""
    parts = [_piece(number, PIECE_SEC, SILENCE_SEC) for _ in range(pieces - 1)]
    samples = np.concatenate([*parts, _piece(number, LAST_SEC if parts else SHORT_SEC, 0.0)])
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def number_in(samples: Samples) -> int:
    """Return the number that a window says."""
    start = int(np.argmax(np.abs(samples) > 0.5 * LOUD / 32768))
    halves = samples[start : start + BITS * BIT_SAMPLES].reshape(BITS, 2, BIT_SAMPLES // 2).mean(axis=2)
    bits = halves[:, 0] > halves[:, 1]
    return sum(1 << position for position in range(BITS) if bits[position])


def words_of(number: int) -> str:
    """Return the engine's result for one window."""
    return f"recording number {number}"


def _piece(number: int, sound_sec: float, silence_sec: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Encode a bit as the order of a positive and a negative half, so that no sound is removed as an offset."""
    bits = np.array([LOUD if number >> position & 1 else -LOUD for position in range(BITS)])
    samples = np.zeros(round((sound_sec + silence_sec) * SAMPLE_RATE), dtype=np.int64)
    samples[: round(sound_sec * SAMPLE_RATE)] = FAINT
    samples[: BITS * BIT_SAMPLES] = np.stack([bits, -bits], axis=1).repeat(BIT_SAMPLES // 2)
    return samples
