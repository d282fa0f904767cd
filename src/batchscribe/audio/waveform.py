"""The loudness of a recording over time, as a plot shows it: the largest sample of each short stretch.

It is measured from the same blocks of sound as the windows, so it has the clock of the words.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from batchscribe.window import FINEST_SAMPLES, MOST_PEAKS, SAMPLE_RATE, Samples, Waveform

FULL_SCALE = 255


class WaveformMeter:
    """Measures a waveform block by block, in constant memory: when there are too many peaks, pairs are joined."""

    def __init__(self) -> None:
        self._samples_per_peak = FINEST_SAMPLES
        self._peaks: Samples | None = None  #: float32[n_channels, MOST_PEAKS]
        self._n_peaks = 0  #: with the last one, which may be incomplete
        self._n_open = 0  #: samples of an incomplete peak

    def watch(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """Measure blocks on their way."""
        for block in blocks:
            self.add(block)
            yield block

    def add(self, block: Samples) -> None:
        """Add float32[n_channels, n_samples], the next block."""
        if self._peaks is None:
            self._peaks = np.zeros((len(block), MOST_PEAKS), dtype=np.float32)
        while block.shape[1]:
            if self._n_open == 0 and self._n_peaks == MOST_PEAKS:
                self._join_pairs(self._peaks)
            block = self._add_start(self._peaks, block)

    def finish(self) -> Waveform | None:
        """Return the waveform; None if there was no sound."""
        if self._peaks is None:
            return None
        peaks = np.rint(np.minimum(self._peaks[:, : self._n_peaks], 1.0) * FULL_SCALE).astype(np.uint8)
        return Waveform(self._samples_per_peak / SAMPLE_RATE, tuple(row.tobytes() for row in peaks))

    def _add_start(self, peaks: Samples, block: Samples) -> Samples:
        """Add as many samples as there is room for without joining. Return the others."""
        size = self._samples_per_peak
        n_whole = min(block.shape[1] // size, MOST_PEAKS - self._n_peaks) if self._n_open == 0 else 0
        if n_whole:
            whole = block[:, : n_whole * size].reshape(len(block), n_whole, size)
            peaks[:, self._n_peaks : self._n_peaks + n_whole] = _loudest(whole)
            self._n_peaks += n_whole
            return block[:, n_whole * size :]
        n_fit = min(block.shape[1], size - self._n_open)
        self._n_peaks += self._n_open == 0
        last = peaks[:, self._n_peaks - 1]
        np.maximum(last, _loudest(block[:, :n_fit]), out=last)
        self._n_open = (self._n_open + n_fit) % size
        return block[:, n_fit:]

    def _join_pairs(self, peaks: Samples) -> None:
        self._n_peaks //= 2
        peaks[:, : self._n_peaks] = peaks.reshape(len(peaks), -1, 2).max(axis=2)
        peaks[:, self._n_peaks :] = 0.0
        self._samples_per_peak *= 2


def _loudest(samples: Samples) -> Samples:
    """Return the largest absolute value along the last axis."""
    loudest: Samples = np.maximum(samples.max(axis=-1), -samples.min(axis=-1))
    return loudest
