"""Samples that arrive in pieces of any length, taken in pieces of a fixed length that may overlap."""

from __future__ import annotations

import numpy as np

from batchscribe.window import Samples


class SoundBuffer:
    """Keeps the samples that were put and not yet dropped."""

    def __init__(self) -> None:
        self._pieces: list[Samples] = []
        self.length = 0  #: samples that are kept
        self.total = 0  #: samples that were put

    def put(self, samples: Samples) -> None:
        self._pieces.append(np.array(samples, dtype=np.float32))
        self.length += len(samples)
        self.total += len(samples)

    def take(self, length: int, *, drop: int) -> Samples:
        """Return the first `length` samples, and drop the first `drop`. Zeros follow the last sample."""
        joined = np.concatenate(self._pieces) if self._pieces else np.zeros(0, dtype=np.float32)
        self._pieces = [joined[drop:].copy()]
        self.length = len(self._pieces[0])
        taken = joined[:length]
        return np.pad(taken, (0, length - len(taken)))
