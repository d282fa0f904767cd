"""Channels that are kept apart but carry the same sound, perhaps at different levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchscribe.audio.channels import Channels

#: Share of a channel's energy that another one may leave unexplained. A codec adds that much to copies of one sound.
_UNEXPLAINED = 0.02
_AUDIBLE = 1e-8  #: mean square, -80 dB


class SameSound:
    """Compares the channels of one recording, block by block."""

    def __init__(self) -> None:
        self._gram: NDArray[np.float64] | None = None  #: energies of channels, and of what they share
        self._n_samples = 0

    def add(self, block: Channels) -> None:
        centered = (block - block.mean(axis=1, keepdims=True)).astype(np.float64)
        gram = centered @ centered.T
        self._gram = gram if self._gram is None else self._gram + gram
        self._n_samples += block.shape[1]

    @property
    def repeated(self) -> int:
        """How many channels carry what an earlier one carries."""
        if self._gram is None:
            return 0
        energies = np.diagonal(self._gram)
        limit = (1.0 - _UNEXPLAINED) * np.outer(energies, energies)
        is_audible = energies > _AUDIBLE * self._n_samples
        is_same = (np.square(self._gram) >= limit) & np.outer(is_audible, is_audible)
        return int(np.triu(is_same, k=1).any(axis=0).sum())
