"""The built-in engine in the pool's processes: its text is that of the engine alone, with any number of processes."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from batchscribe.speech.engine import RecognitionRequest
from batchscribe.speech.pool import EnginePool
from batchscribe.window import SAMPLE_RATE, Window

pytest.importorskip("pocketsphinx", reason="not on this Python: no wheel of pocketsphinx")

from batchscribe.speech.pocketsphinx import PocketsphinxSpec


@pytest.fixture
def requests(examples: Path) -> list[RecognitionRequest]:
    """Four pieces of 1.5 s from one of our recordings, which is 16 kHz mono PCM."""
    with wave.open(str(examples / "weather.wav")) as recording:
        assert (recording.getframerate(), recording.getnchannels()) == (SAMPLE_RATE, 1)
        pcm = np.frombuffer(recording.readframes(6 * SAMPLE_RATE), "<i2")
    samples = (pcm / 32768).astype(np.float32)
    windows = [Window(0, start / SAMPLE_RATE, samples[start : start + 24_000]) for start in range(0, 96_000, 24_000)]
    return [RecognitionRequest(window, "en-US") for window in windows]


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_recognize_what_the_engine_alone_recognizes(requests: list[RecognitionRequest], workers: int) -> None:
    alone = PocketsphinxSpec().build().transcribe(requests)
    assert any(recognition.text for recognition in alone)
    with EnginePool(PocketsphinxSpec(), workers) as pool:
        futures = [pool.submit(request) for request in [*reversed(requests), *requests]]
        recognized = [future.result(60) for future in futures]
    assert recognized == [*reversed(alone), *alone]
