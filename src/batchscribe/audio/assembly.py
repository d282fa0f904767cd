"""Assembly of placed frames into one stream of 16 kHz samples: gaps become silence, overlaps are cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from batchscribe.audio.channels import BLOCK_SAMPLES, Channels, Resampling
from batchscribe.audio.timeline import Placed
from batchscribe.window import SAMPLE_RATE


class Assembly:
    """A stream of samples. Places count output samples, so what the resampler holds back shifts nothing."""

    def __init__(self, *, apart: bool, level: float = 1.0) -> None:
        """Divide all samples by `level`, as `Resampling` does."""
        self._resampling = Resampling(apart=apart, level=level)
        self._n_samples = 0
        self._n_cut = 0  #: samples still to be cut

    @property
    def lasting_level(self) -> float:
        """The level of the recording if it is above full scale; 1.0 if it is not."""
        return self._resampling.overload.lasting

    @property
    def other_channels(self) -> int:
        """The number of channels to which a recording changed if they are kept apart; 0 if it did not change."""
        return self._resampling.other_channels

    def accept(self, placed: Placed) -> Iterator[Channels]:
        """Yield what is ready after this frame, about a second each. Raises the errors of `Resampling.accept`."""
        n_channels = self._resampling.n_channels(placed.frame)
        if placed.start_sec is not None:
            yield from self.finish()
            yield from self._move_to(placed.start_sec, n_channels)
        resampled = self._resampling.accept(placed.frame)
        if placed.end_sec is None:
            yield from self._drop_start(resampled)
        else:
            yield from self._fit_to_end(chain(resampled, self._resampling.finish()), placed.end_sec, n_channels)

    def finish(self) -> Iterator[Channels]:
        yield from self._drop_start(self._resampling.finish())

    def _move_to(self, moment_sec: float, n_channels: int) -> Iterator[Channels]:
        n_missing = round(moment_sec * SAMPLE_RATE) - self._n_samples
        self._n_cut = max(0, -n_missing)
        while n_missing > 0:
            silence = np.zeros((n_channels, min(n_missing, BLOCK_SAMPLES)), dtype=np.float32)
            n_missing -= silence.shape[1]
            self._n_samples += silence.shape[1]
            yield silence

    def _drop_start(self, blocks: Iterator[Channels]) -> Iterator[Channels]:
        for block in blocks:
            n_cut = min(self._n_cut, block.shape[1])
            self._n_cut -= n_cut
            self._n_samples += block.shape[1] - n_cut
            if n_cut < block.shape[1]:
                yield block[:, n_cut:]

    def _fit_to_end(self, blocks: Iterator[Channels], end_sec: float, n_channels: int) -> Iterator[Channels]:
        """Yield samples up to `end_sec`, which may be before or after the end of the samples."""
        n_end = round(end_sec * SAMPLE_RATE)
        for block in self._drop_start(blocks):
            n_over = min(block.shape[1], max(0, self._n_samples - n_end))
            self._n_samples -= n_over
            if n_over < block.shape[1]:
                yield block[:, : block.shape[1] - n_over]
        yield from self._move_to(max(end_sec, self._n_samples / SAMPLE_RATE), n_channels)
