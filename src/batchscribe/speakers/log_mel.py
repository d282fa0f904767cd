"""Log-mel energies as Kaldi computes them: the input of speaker embedding models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchscribe.window import SAMPLE_RATE, Samples

BANDS = 80
FRAME_SAMPLES = 400  #: 25 ms
HOP_SAMPLES = 160
HOP_SEC = HOP_SAMPLES / SAMPLE_RATE
LOWEST_HZ = 20
HIGHEST_HZ = SAMPLE_RATE // 2
_FFT_SAMPLES = 512
_PREEMPHASIS = 0.97
_SMALLEST_ENERGY = np.finfo(np.float32).eps

LogMel = NDArray[np.float32]  #: float32[n_frames, BANDS]


def log_mel(samples: Samples) -> LogMel:
    """Return one row for each complete frame of 25 ms, every 10 ms.

    These are Kaldi's defaults for `compute-fbank-feats` without dither: Povey window, pre-emphasis, no offset, no
    partial frame at the end.
    """
    if len(samples) < FRAME_SAMPLES:
        return np.zeros((0, BANDS), dtype=np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_SAMPLES)[::HOP_SAMPLES]
    centered = frames - frames.mean(axis=1, keepdims=True, dtype=np.float32)
    before = np.concatenate((centered[:, :1], centered[:, :-1]), axis=1)
    spectrum = np.fft.rfft((centered - np.float32(_PREEMPHASIS) * before) * _WINDOW, _FFT_SAMPLES)
    power = spectrum.real**2 + spectrum.imag**2
    energies = power[:, : _FFT_SAMPLES // 2].astype(np.float32) @ _FILTERS
    return np.asarray(np.log(np.maximum(energies, _SMALLEST_ENERGY)))


def band_centers_hz() -> NDArray[np.float64]:
    """Return the center frequency of each band."""
    return np.asarray(700.0 * np.expm1(_band_edges_mel()[1:-1] / 1127.0))


def _mel(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))


def _band_edges_mel() -> NDArray[np.float64]:
    return np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)


def _triangular_filters() -> NDArray[np.float32]:
    """Return float32[n_bins, BANDS]; Kaldi's triangles are straight on the mel scale."""
    bins = _mel(np.arange(_FFT_SAMPLES // 2) * SAMPLE_RATE / _FFT_SAMPLES)[:, None]
    edges = _band_edges_mel()
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


_FILTERS = _triangular_filters()
_WINDOW = ((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / (FRAME_SAMPLES - 1))) ** 0.85).astype(np.float32)
