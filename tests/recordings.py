"""Small recordings, made on the fly."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from batchscribe.window import SAMPLE_RATE


def write_wav(path: Path, *, duration_sec: float = 1.0, channels: int = 1, seed: int = 0) -> Path:
    """Write noise. It has no speech, so only segmentation `none` lets it reach an engine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(0.0, 1000.0, size=int(duration_sec * SAMPLE_RATE) * channels)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(noise.astype("<i2").tobytes())
    return path
