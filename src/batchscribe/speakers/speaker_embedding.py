"""Speaker embeddings of chunks, computed with CAM++."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchscribe.speakers.local_speakers import FRAME_CENTER, FRAME_HOP
from batchscribe.speakers.log_mel import FRAME_SAMPLES, HOP_SAMPLES, HOP_SEC, LogMel, band_centers_hz
from batchscribe.speakers.onnx_session import open_session
from batchscribe.speakers.speech_chunks import SpeechChunk

EMBEDDING_SIZE = 192
SHORTEST_SEC = 0.25
LONGEST_WIDE_SEC = 1.5  #: more sound costs more CPU time and improves nothing
LONGEST_NARROW_SEC = 3.0  #: telephone voices are harder to distinguish
#: How much the loud frames from 500 to 3,300 Hz exceed the loudest one above 3,900 Hz, in natural logarithms of power.
#: Telephones have 8 and more, other recordings at most 6.
NARROW_ABOVE = 7.0
LOUD_PERCENT = 95
#: How much a typical band from 500 to 3,300 Hz changes within a chunk, in natural logarithms of power. Voices have 2
#: and more, pure tones almost 0.
STEADY_BELOW = 1.0
STEADY_PERCENTS = 10, 90

_CENTERS_HZ = band_centers_hz()
_VOICE = (_CENTERS_HZ > 500) & (_CENTERS_HZ < 3_300)
_ABOVE_TELEPHONE = _CENTERS_HZ > 3_900
_EMPTY_IF_NARROW = _CENTERS_HZ > 3_500

Embedding = NDArray[np.float32]  #: float32[EMBEDDING_SIZE], of length 1


class EmbeddingModel:
    """Turns log-mel energies of one voice into an embedding. Thread-safe."""

    def __init__(self, model: bytes) -> None:
        self._session = open_session(model)

    def embed(self, energies: LogMel) -> tuple[Embedding, bool]:
        """Return the embedding of the middle of a chunk, and whether the chunk has the band of a telephone."""
        is_narrow = has_telephone_band(energies)
        part = _middle(energies, LONGEST_NARROW_SEC if is_narrow else LONGEST_WIDE_SEC)
        features = part - part.mean(axis=0, dtype=np.float32)
        if is_narrow:
            features[:, _EMPTY_IF_NARROW] = 0.0
        ((embedding,),) = self._session.run(None, {"feature": features[None]})
        return embedding / np.linalg.norm(embedding), is_narrow


def energies_of(chunk: SpeechChunk, energies: LogMel) -> LogMel:
    """Return the log-mel frames whose centers are in the chunk."""
    chosen = [energies[_log_mel_frame(start) : _log_mel_frame(end)] for start, end in chunk.runs]
    return np.concatenate(chosen)


def is_long_enough(energies: LogMel) -> bool:
    """Whether a chunk is long enough for a usable embedding."""
    return len(energies) >= SHORTEST_SEC / HOP_SEC


def is_steady(energies: LogMel) -> bool:
    """Whether the sound stays the same, as a tone does: a voice never does."""
    low, high = np.percentile(energies[:, _VOICE], STEADY_PERCENTS, axis=0)
    return bool(np.median(high - low) < STEADY_BELOW)


def has_telephone_band(energies: LogMel) -> bool:
    """Whether there is only line noise above 3,900 Hz."""
    loud = np.percentile(energies[:, _VOICE].mean(axis=1), LOUD_PERCENT)
    return bool(loud - energies[:, _ABOVE_TELEPHONE].mean(axis=1).max() > NARROW_ABOVE)


def _log_mel_frame(frame: int) -> int:
    """Return the first log-mel frame whose center is at or after the start of a frame of the streams."""
    start = frame * FRAME_HOP + FRAME_CENTER - FRAME_HOP // 2 - FRAME_SAMPLES // 2
    return max(0, -(-start // HOP_SAMPLES))


def _middle(energies: LogMel, longest_sec: float) -> LogMel:
    longest = int(longest_sec / HOP_SEC)
    first = max(0, len(energies) - longest) // 2
    return energies[first : first + longest]
