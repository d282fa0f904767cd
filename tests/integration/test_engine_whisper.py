"""The whisper engine on real, tiny models: how it handles everything that such models do wrong."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import faster_whisper.transcribe
import numpy as np
import pytest

from batchscribe.settings import load_settings
from batchscribe.speech.engine import Engine, LanguageChoice, RecognitionRequest
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.registry import choose_engine
from batchscribe.speech.whisper import WhisperEngine
from batchscribe.speech.whisper_model import WhisperModel
from batchscribe.speech.whisper_spec import WhisperSpec
from batchscribe.window import SAMPLE_RATE, Phrase, Recognition, Window, Word
from tests.models.whisper import Line, random_whisper, scripted_whisper


def noise(start_sec: float, duration_sec: float) -> Window:
    random = np.random.default_rng(int(start_sec * 1000))
    samples = (random.normal(size=int(duration_sec * SAMPLE_RATE)) * 0.1).astype(np.float32)
    return Window(0, start_sec, samples, ((0.0, duration_sec),))


def spec_of(folder: Path) -> WhisperSpec:
    spec = choose_engine("whisper", "en", load_settings(data_dir=folder.parent, whisper_model=str(folder))).spec
    assert isinstance(spec, WhisperSpec)
    return spec


def transcribe(engine: Engine, window: Window, language: str = "en-US") -> Recognition:
    [recognition] = engine.transcribe([RecognitionRequest(window, language)])
    return recognition


def words_of(recognition: Recognition) -> list[Word]:
    return [word for phrase in recognition.phrases for word in phrase.words]


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> WhisperSpec:
    return spec_of(random_whisper(tmp_path_factory.mktemp("models") / "random"))


@pytest.mark.parametrize("multilingual", [True, False])
def test_a_sentence_arrives_word_for_word(tmp_path: Path, multilingual: bool) -> None:
    line = Line("Hello there, good people.")
    engine = spec_of(scripted_whisper(tmp_path / "scripted", line, multilingual=multilingual)).build()
    [phrase] = transcribe(engine, noise(0.0, 30.0)).phrases
    assert phrase.text == "Hello there, good people."
    assert [word.text for word in phrase.words] == ["Hello", "there,", "good", "people."]
    assert all(type(word.start_sec) is type(word.confidence) is float for word in phrase.words)


def test_a_text_of_many_tokens_arrives_whole(tmp_path: Path) -> None:
    """Hindi and Thai take about 15 tokens a second."""
    # Numbers, so that nothing is repeated.
    said = [f"n{number}" for number in range(400)]
    model = scripted_whisper(tmp_path / "scripted", Line(" ".join(said)))
    assert [word.text for word in words_of(transcribe(spec_of(model).build(), noise(0.0, 30.0)))] == said


def test_words_lie_inside_the_audio_although_the_model_works_on_more(tmp_path: Path) -> None:
    engine = spec_of(scripted_whisper(tmp_path / "scripted", Line("Far too long."))).build()
    words = words_of(transcribe(engine, noise(0.0, 5.0)))
    assert words
    assert words[-1].end_sec <= 5.0


def test_noise_from_a_model_still_makes_sound_words(random_model: WhisperSpec) -> None:
    engine = random_model.build()
    for start_sec in range(4):
        recognition = transcribe(engine, noise(start_sec, 3.0))
        assert not any(unicodedata.category(mark) == "Cc" or mark == "\ufffd" for mark in recognition.text)
        words = words_of(recognition)
        assert all(word.text == word.text.strip() != "" for word in words)
        assert all(0 <= word.start_sec <= word.end_sec <= 3.0 for word in words)
        assert all(first.end_sec <= second.start_sec for first, second in pairwise(words))


@pytest.mark.parametrize("duration_sec", [0.0, 0.001, 0.05, 1.0])
def test_short_and_silent_windows_are_survived(random_model: WhisperSpec, duration_sec: float) -> None:
    engine = random_model.build()
    silence = np.zeros(int(duration_sec * SAMPLE_RATE), np.float32)
    assert transcribe(engine, Window(0, 0.0, silence)) == Recognition()
    transcribe(engine, noise(1.0, duration_sec))


def test_large_models_with_128_mel_bands_load(tmp_path: Path) -> None:
    engine = spec_of(random_whisper(tmp_path / "wide", mels=128)).build()
    assert transcribe(engine, noise(0.0, 1.0)) is not None


def test_a_locale_is_transcribed_in_its_language(random_model: WhisperSpec) -> None:
    engine = random_model.build()
    german = transcribe(engine, noise(0.0, 3.0), "de-AT")
    assert german == transcribe(engine, noise(0.0, 3.0), "de-DE")
    assert german != transcribe(engine, noise(0.0, 3.0), "en-US")


def test_a_language_is_detected_and_chosen_only_on_request(tmp_path: Path) -> None:
    engine = spec_of(scripted_whisper(tmp_path / "scripted", Line("Guten Tag.", language="de"))).build()
    windows = [RecognitionRequest(noise(0.0, 3.0), "en-US", detection) for detection in LanguageChoice]
    off, report, choose = engine.transcribe(windows)
    assert (off.detected, off.language) == ((), None)
    assert (report.detected[0][0], report.language) == ("de", None)
    assert (choose.detected, choose.language) == (report.detected, "de")
    assert {each.text for each in (off, report, choose)} == {"Guten Tag."}


def test_a_model_for_english_detects_nothing(tmp_path: Path) -> None:
    engine = spec_of(scripted_whisper(tmp_path / "scripted", Line("Hello."), multilingual=False)).build()
    [recognition] = engine.transcribe([RecognitionRequest(noise(0.0, 3.0), "en-US", LanguageChoice.REPORT)])
    assert (recognition.detected, recognition.language) == ((), None)


def test_the_same_window_gives_the_same_text_in_any_batch(random_model: WhisperSpec) -> None:
    """In batches with windows of other lengths and languages, in any order, in one process or two."""
    languages = ["en-US", "de-DE", "en-US", "fr-FR", "en-US", "de-DE"]
    requests = [
        RecognitionRequest(
            noise(number, 1.0 + 4 * number), language, LanguageChoice.CHOOSE if number == 4 else LanguageChoice.OFF
        )
        for number, language in enumerate(languages)
    ]
    engine = random_model.build()
    alone = [engine.transcribe([request])[0] for request in requests]
    assert engine.transcribe(requests) == alone
    assert engine.transcribe(requests[::-1]) == alone[::-1]
    for workers in (1, 2):
        with EnginePool(random_model, workers) as pool:
            futures = [pool.submit(request) for request in reversed(requests)]
            assert [future.result(60) for future in reversed(futures)] == alone


def rounded(recognition: Recognition) -> Recognition:
    """Round probabilities: in an alignment of a whole batch, they differ after the seventh digit."""
    phrases = tuple(
        replace(
            phrase,
            words=tuple(
                replace(word, confidence=None if word.confidence is None else round(word.confidence, 5))
                for word in phrase.words
            ),
        )
        for phrase in recognition.phrases
    )
    detected = tuple((language, round(probability, 5)) for language, probability in recognition.detected)
    return replace(recognition, phrases=phrases, detected=detected)


def test_the_calls_for_a_gpu_give_the_same_texts(random_model: WhisperSpec) -> None:
    """Encoder, language detection and alignment get whole batches, whose output stays on the device: here, the CPU."""
    model = WhisperModel(Path(random_model.model_path), "cpu", random_model.compute_type, encodes_batches=True)
    modes = [LanguageChoice.CHOOSE, LanguageChoice.OFF, LanguageChoice.REPORT]
    requests = [
        RecognitionRequest(noise(number, 0.5 + 3 * (number % 7)), "de-DE", modes[number % 3]) for number in range(16)
    ]
    requests.append(RecognitionRequest(Window(0, 99.0, np.zeros(SAMPLE_RATE, np.float32)), "en-US"))
    engine = random_model.build()
    alone = [engine.transcribe([request])[0] for request in requests]
    assert any(each.detected for each in alone)
    together = WhisperEngine(model).transcribe(requests)
    assert [rounded(each) for each in together] == [rounded(each) for each in alone]


def test_batches_that_are_prepared_early_give_the_same_texts(random_model: WhisperSpec) -> None:
    requests = [RecognitionRequest(noise(number, 1.0 + 4 * (number % 7)), "en-US") for number in range(16)]
    engine = random_model.build()
    alone = [engine.transcribe([request])[0] for request in requests]
    with EnginePool(replace(random_model, reads_ahead=True, batch_size=4), 1) as pool:
        assert [each.result(60) for each in [pool.submit(request) for request in requests]] == alone


def test_windows_of_the_same_length_and_language_are_of_one_kind(random_model: WhisperSpec) -> None:
    kinds = [
        random_model.kind_of_request(RecognitionRequest(noise(0.0, duration_sec), language))
        for duration_sec, language in ((3.0, "en-US"), (5.0, "en-GB"), (5.0, "de-DE"), (29.0, "en-US"))
    ]
    assert kinds[0] == kinds[1]
    assert len(set(kinds)) == 3


def test_audio_reaches_faster_whisper_as_samples_never_as_a_path(
    random_model: WhisperSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own decoder, which a path would call, fails with PyAV 19."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("faster-whisper decodes by itself")

    monkeypatch.setattr(faster_whisper.transcribe, "decode_audio", forbidden)
    assert transcribe(random_model.build(), noise(0.0, 1.0)) is not None


def test_a_phrase_has_the_times_of_its_words(tmp_path: Path) -> None:
    engine = spec_of(scripted_whisper(tmp_path / "scripted", Line("Hello there, good people."))).build()
    [phrase] = transcribe(engine, noise(0.0, 10.0)).phrases
    assert isinstance(phrase, Phrase)
    assert (phrase.start_sec, phrase.end_sec) == (phrase.words[0].start_sec, phrase.words[-1].end_sec)
