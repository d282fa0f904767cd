"""Log-mel energies, compared with a direct computation of Kaldi's definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from batchscribe.speakers.log_mel import BANDS, band_centers_hz, log_mel


def mel(hertz: float) -> float:
    return 1127.0 * math.log(1.0 + hertz / 700.0)


def reference_frame(samples: NDArray[np.float64]) -> list[float]:
    """One frame of 400 samples, step by step, with a plain Fourier sum."""
    centered = samples - samples.mean()
    emphasized = [value - 0.97 * centered[max(0, index - 1)] for index, value in enumerate(centered)]
    window = [(0.5 - 0.5 * math.cos(2 * math.pi * index / 399)) ** 0.85 for index in range(400)]
    signal = np.array(emphasized) * window
    bins = np.exp(-2j * np.pi * np.outer(np.arange(256), np.arange(400)) / 512) @ signal
    low, high = mel(20), mel(8000)
    width = (high - low) / (BANDS + 1)
    energies = []
    for band in range(BANDS):
        left, center, right = (low + (band + step) * width for step in range(3))
        energy = 0.0
        for index, value in enumerate(bins):
            place = mel(index * 16000 / 512)
            if left < place < right:
                share = (place - left) / width if place <= center else (right - place) / width
                energy += share * abs(value) ** 2
        energies.append(math.log(max(energy, 1.1920929e-07)))
    return energies


def test_energies_are_those_of_kaldi() -> None:
    samples = np.random.default_rng(1).normal(0.0, 0.1, 880)
    found = log_mel(samples.astype(np.float32))
    assert found.shape == (4, BANDS)
    for frame in range(4):
        np.testing.assert_allclose(found[frame], reference_frame(samples[frame * 160 :][:400]), atol=2e-3)


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2)])
def test_only_complete_frames_count(samples: int, frames: int) -> None:
    assert log_mel(np.zeros(samples, dtype=np.float32)).shape == (frames, BANDS)


def test_a_tone_is_in_the_band_of_its_frequency() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(1600) / 16000).astype(np.float32)
    loudest = log_mel(tone).mean(axis=0).argmax()
    assert abs(band_centers_hz()[loudest] - 1000) < 40
