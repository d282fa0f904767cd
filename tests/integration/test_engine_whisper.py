"""The whisper engine on real, tiny models: what it makes of everything that such models do wrong."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from pathlib import Path

import faster_whisper.transcribe
import numpy as np
import pytest

from batchscribe.segment import SAMPLE_RATE, Hearing, Segment
from batchscribe.settings import load_settings
from batchscribe.speech.engine import Engine
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.registry import choose_engine
from batchscribe.speech.whisper import WhisperSpec
from tests.models.whisper import Line, random_whisper, scripted_whisper


def noise(start_sec: float, duration_sec: float) -> Segment:
    random = np.random.default_rng(int(start_sec * 1000))
    return Segment(0, start_sec, (random.normal(size=int(duration_sec * SAMPLE_RATE)) * 0.1).astype(np.float32))


def spec_of(folder: Path) -> WhisperSpec:
    spec = choose_engine("whisper", "en", load_settings(data_dir=folder.parent, whisper_model=str(folder))).spec
    assert isinstance(spec, WhisperSpec)
    return spec


def hear(engine: Engine, segment: Segment, language: str = "en-US") -> Hearing:
    [hearing] = engine.transcribe([segment], language)
    return hearing


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> WhisperSpec:
    return spec_of(random_whisper(tmp_path_factory.mktemp("models") / "random"))


@pytest.mark.parametrize("multilingual", [True, False])
def test_a_sentence_arrives_word_for_word(tmp_path: Path, multilingual: bool) -> None:
    line = Line("Hello there, good people.", end_sec=30.0)
    engine = spec_of(scripted_whisper(tmp_path / "scripted", line, multilingual=multilingual)).build()
    hearing = hear(engine, noise(0.0, 30.0))
    assert hearing.text == "Hello there, good people."
    assert [word.text for word in hearing.words] == ["Hello", "there,", "good", "people."]
    assert all(type(word.start_sec) is type(word.confidence) is float for word in hearing.words)


def test_what_a_model_says_beyond_the_end_of_the_audio_is_pulled_back(tmp_path: Path) -> None:
    engine = spec_of(scripted_whisper(tmp_path / "scripted", Line("Far too long.", end_sec=29.9))).build()
    hearing = hear(engine, noise(0.0, 5.0))
    assert hearing.words[-1].end_sec <= 5.0


def test_noise_from_a_model_still_makes_sound_words(random_model: WhisperSpec) -> None:
    engine = random_model.build()
    for start_sec in range(4):
        hearing = hear(engine, noise(start_sec, 3.0))
        assert not any(unicodedata.category(mark) == "Cc" or mark == "\ufffd" for mark in hearing.text)
        assert all(word.text == word.text.strip() != "" for word in hearing.words)
        assert all(0 <= word.start_sec <= word.end_sec <= 3.0 for word in hearing.words)
        assert all(first.end_sec <= second.start_sec for first, second in pairwise(hearing.words))


@pytest.mark.parametrize("duration_sec", [0.0, 0.001, 0.05, 1.0])
def test_short_and_silent_segments_are_survived(random_model: WhisperSpec, duration_sec: float) -> None:
    engine = random_model.build()
    silence = np.zeros(int(duration_sec * SAMPLE_RATE), np.float32)
    assert hear(engine, Segment(0, 0.0, silence)) == Hearing("")
    hear(engine, noise(1.0, duration_sec))


def test_large_models_with_128_mel_bands_load(tmp_path: Path) -> None:
    engine = spec_of(random_whisper(tmp_path / "wide", mels=128)).build()
    assert hear(engine, noise(0.0, 1.0)) is not None


def test_a_locale_is_heard_in_its_language(random_model: WhisperSpec) -> None:
    engine = random_model.build()
    german = hear(engine, noise(0.0, 3.0), "de-AT")
    assert german == hear(engine, noise(0.0, 3.0), "de-DE")
    assert german != hear(engine, noise(0.0, 3.0), "en-US")


def test_the_same_segment_sounds_the_same_whatever_the_order_and_the_number_of_processes(
    random_model: WhisperSpec,
) -> None:
    segments = [noise(start_sec, 1.0 + start_sec) for start_sec in range(4)]
    engine = random_model.build()
    alone = [hear(engine, segment) for segment in segments]
    for workers in (1, 2):
        with EnginePool(random_model, workers) as pool:
            futures = [pool.submit(segment, "en-US") for segment in reversed(segments)]
            assert [future.result(60) for future in reversed(futures)] == alone


def test_audio_reaches_faster_whisper_as_samples_never_as_a_path(
    random_model: WhisperSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own decoder, which a path would call, fails with PyAV 19."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("faster-whisper decodes by itself")

    monkeypatch.setattr(faster_whisper.transcribe, "decode_audio", forbidden)
    assert hear(random_model.build(), noise(0.0, 1.0)) is not None
