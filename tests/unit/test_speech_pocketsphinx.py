from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from batchscribe.settings import load_settings
from batchscribe.speech.engine import Engine, RecognitionRequest
from batchscribe.window import SAMPLE_RATE, Recognition, Window

pytest.importorskip("pocketsphinx", reason="not on this Python: no wheel of pocketsphinx")

from batchscribe.speech.pocketsphinx import PocketsphinxSpec, find_pocketsphinx, to_int16


@pytest.fixture(scope="module")
def engine() -> Engine:
    return PocketsphinxSpec().build()


def request(samples: NDArray[np.float32]) -> RecognitionRequest:
    return RecognitionRequest(Window(0, 0.0, samples), "en-US")


def recognize(engine: Engine, samples: NDArray[np.float32]) -> Recognition:
    [recognition] = engine.transcribe([request(samples)])
    return recognition


@pytest.fixture(scope="module")
def speech(examples: Path) -> NDArray[np.float32]:
    """float32[n_samples]: the first four seconds of an example."""
    with av.open(str(examples / "weather.wav")) as container:
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        frames = [new for frame in container.decode(audio=0) for new in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])[: 4 * SAMPLE_RATE]


def chord(duration_sec: float, *pitches_hz: float) -> NDArray[np.float32]:
    """Not speech, but the decoder finds words in it."""
    times = np.arange(int(duration_sec * SAMPLE_RATE)) / SAMPLE_RATE
    tones = [np.sin(2 * np.pi * pitch * times) for pitch in pitches_hz]
    samples: NDArray[np.float32] = (0.2 * np.sum(tones, axis=0)).astype(np.float32)
    return samples


def test_speech_becomes_words_inside_the_window_without_marks_and_with_confidence(
    engine: Engine, speech: NDArray[np.float32]
) -> None:
    [phrase] = recognize(engine, speech).phrases
    assert (phrase.start_sec, phrase.end_sec) == (0.0, 4.0)
    assert len(phrase.words) >= 5
    assert phrase.text == " ".join(word.text for word in phrase.words)
    assert not set("<>[]()+") & set(phrase.text)
    confidences = [word.confidence for word in phrase.words]
    assert all(confidence is not None and 0 <= confidence <= 1 for confidence in confidences)
    assert len(set(confidences)) > 1, "it is not always 1.0"
    assert all(0 <= word.start_sec < word.end_sec <= 4.0 for word in phrase.words)


def test_a_window_is_recognized_the_same_whatever_came_before_it(engine: Engine, speech: NDArray[np.float32]) -> None:
    """Without the reset of its front end, the decoder carries the loudness of one window into the next."""
    pieces = [speech[:32_000], speech[32_000:] * 0.1, chord(1.0, 220, 330), speech[16_000:48_000]]
    alone = [recognize(PocketsphinxSpec().build(), piece) for piece in pieces]
    for i in (3, 1, 0, 2, 2, 1, 3, 0):
        assert recognize(engine, pieces[i]) == alone[i]


def test_too_little_audio_gives_no_words_and_leaves_the_engine_working(engine: Engine) -> None:
    """An utterance of no samples would leave the decoder unable to start another one."""
    for count in (0, 1, 160, 800):
        assert recognize(engine, np.full(count, 0.01, np.float32)) == Recognition()


def test_digital_silence_says_nothing(engine: Engine) -> None:
    """The decoder itself finds "ah" in it."""
    assert recognize(engine, np.zeros(SAMPLE_RATE, np.float32)) == Recognition()


def test_several_windows_in_one_call_give_one_recognition_each(engine: Engine) -> None:
    silence = request(np.zeros(8_000, np.float32))
    assert len(engine.transcribe([silence, silence, silence])) == 3


def test_16_bit_audio_arrives_exactly_and_too_loud_audio_is_clipped_not_wrapped() -> None:
    pcm = np.array([-32768, -1, 0, 1, 1234, 32767], "<i2")
    assert to_int16((pcm / 32768).astype(np.float32)) == pcm.tobytes()
    loud = np.array([1.0, 1.5, -1.5, 100.0], np.float32)
    assert np.frombuffer(to_int16(loud), "<i2").tolist() == [32767, 32767, -32768, 32767]


def test_provenance_names_the_version_of_the_model() -> None:
    assert find_pocketsphinx(load_settings())[0].model.startswith("en-US (pocketsphinx 5.")
