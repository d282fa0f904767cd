"""The built-in engine in the pool's processes: the words of the engine alone, however many work at it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from batchscribe.segment import SAMPLE_RATE, Segment
from batchscribe.speech.pool import EnginePool

pytest.importorskip("pocketsphinx", reason="not on this Python: no wheel of pocketsphinx")

from batchscribe.speech.pocketsphinx import pocketsphinx_spec


@pytest.fixture
def segments(examples: Path) -> list[Segment]:
    """Four pieces of 1.5 s from a recording of our own, which is 16 kHz mono PCM."""
    with wave.open(str(examples / "weather.wav")) as recording:
        assert (recording.getframerate(), recording.getnchannels()) == (SAMPLE_RATE, 1)
        pcm = np.frombuffer(recording.readframes(6 * SAMPLE_RATE), "<i2")
    samples = (pcm / 32768).astype(np.float32)
    return [Segment(0, start / SAMPLE_RATE, samples[start : start + 24_000]) for start in range(0, 96_000, 24_000)]


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_hear_what_the_engine_alone_hears(segments: list[Segment], workers: int) -> None:
    alone = pocketsphinx_spec().build().transcribe(segments, "en-US")
    assert any(hearing.words for hearing in alone)
    with EnginePool(pocketsphinx_spec(), workers) as pool:
        futures = [pool.submit(segment, "en-US") for segment in [*reversed(segments), *segments]]
        heard = [future.result(60) for future in futures]
    assert heard == [*reversed(alone), *alone]
