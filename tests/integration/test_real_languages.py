"""Language detection with a published multilingual model, and its warning if the wrong language was requested."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import jiwer
import numpy as np
import pytest
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from tests.audio_files import samples_of
from tests.documents import ROOT
from tests.hard_recordings import Sound, loudness, save, silence
from tests.integration.heard import WITHIN_SEC, Transcript, heard_by_faster_whisper, transcribed

pytestmark = pytest.mark.timeout(2 * WITHIN_SEC)

TEXTS = json.loads((ROOT / "examples" / "texts.json").read_text())
ENGLISH = "weather.wav"
#: `base` has 2 words of 52 wrong in it.
WORST_WORD_ERROR_RATE = 0.06
FOREIGN = {
    "de": "fleurs/fleurs-de-002.ogg",
    "es": "fleurs/fleurs-es-002.ogg",
    "fr": "fleurs/fleurs-fr-000.ogg",
}
#: `base` has 6 of their 65 words wrong, and 7 by faster-whisper alone.
WORST_OF_FOREIGN, MARGIN = 0.14, 0.04
#: Longer than any pause inside a window, so that each language is in a separate window.
APART_SEC = 4.0
#: Each engine process loads the model, and one recording needs only one.
ALONE = ("--engine-processes", "1")

comparable = EnglishTextNormalizer()


def sound(path: Path) -> Sound:
    """Return the sound, as loud as the others."""
    found = samples_of(path).astype(np.float64)
    return found * 0.05 / loudness(found)


def another_language_warnings(transcript: Transcript) -> list[str]:
    return [warning for warning in transcript.warnings if " was requested: " in warning]


@pytest.fixture(scope="module")
def folder(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("languages")
    shutil.copy(examples / ENGLISH, folder)
    return folder


@pytest.fixture(scope="module")
def foreign(corpus: Path, folder: Path) -> Path:
    """Recordings in German, Spanish and French, each named after its language."""
    (folder / "foreign").mkdir()
    for language, name in FOREIGN.items():
        save(folder / "foreign" / f"{language}.wav", sound(corpus / name))
    return folder / "foreign"


@pytest.fixture(scope="module")
def asked_for_english(foreign: Path, folder: Path, base_model: Path) -> Mapping[str, Transcript]:
    """The transcripts of the German and French recordings with the default language."""
    return transcribed(folder, base_model, [foreign / "de.wav", foreign / "fr.wav"], "asked-for-english")


# --- our own recordings, in English ----------------------------------------------------------------------------


def test_english_requested_as_english_causes_no_warning(folder: Path, base_model: Path) -> None:
    heard = transcribed(folder, base_model, [folder / ENGLISH], "english", *ALONE)["weather"]
    said = " ".join(turn["text"] for turn in TEXTS[ENGLISH])
    assert jiwer.wer(comparable(said), comparable(heard.text)) <= WORST_WORD_ERROR_RATE
    assert heard.warnings == []
    assert "language" not in heard.document["metadata"]
    assert not any("language" in segment for segment in heard.segments)


def test_english_requested_as_german_causes_a_warning_with_both_languages(folder: Path, base_model: Path) -> None:
    heard = transcribed(folder, base_model, [folder / ENGLISH], "as-german", "--language", "de-DE", *ALONE)["weather"]
    [warning] = another_language_warnings(heard)
    assert "The recording is in en, but de-DE was requested" in warning


@pytest.mark.parametrize("mode", ["once", "continuous"])
def test_detected_english_is_in_every_segment_and_in_the_metadata(folder: Path, base_model: Path, mode: str) -> None:
    options = ("--language", "auto", "--language-detection", mode, *ALONE)
    heard = transcribed(folder, base_model, [folder / ENGLISH], f"detected-{mode}", *options)["weather"]
    assert {segment["language"] for segment in heard.segments} == {"en"}
    metadata = heard.document["metadata"]
    assert (metadata["language"], list(metadata["languages"])) == ("en", ["en"])
    assert 12 < metadata["languages"]["en"] < 17
    assert metadata["config"]["language_detection"] == {"mode": mode}
    assert heard.warnings == []


# --- other languages, if the corpus is available ---------------------------------------------------------------


@pytest.mark.parametrize("language", ["de", "fr"])
def test_another_language_requested_as_english_causes_a_warning_with_both_languages(
    asked_for_english: Mapping[str, Transcript], language: str
) -> None:
    [warning] = another_language_warnings(asked_for_english[language])
    assert f"The recording is in {language}, but en-US was requested" in warning


@pytest.fixture(scope="module")
def each_in_its_own(foreign: Path, folder: Path, base_model: Path) -> Mapping[str, Transcript]:
    return transcribed(folder, base_model, [foreign], "each-its-own", "--language", "auto")


def test_each_recording_of_a_folder_is_recognized_in_its_own_language(
    each_in_its_own: Mapping[str, Transcript],
) -> None:
    heard = each_in_its_own
    assert {name: each.languages for name, each in heard.items()} == {name: [name] for name in FOREIGN}
    assert {name: each.document["metadata"]["language"] for name, each in heard.items()} == {
        name: name for name in FOREIGN
    }
    assert all(each.warnings == [] for each in heard.values())


def test_few_words_of_other_languages_are_wrong_and_no_more_than_by_faster_whisper_alone(
    each_in_its_own: Mapping[str, Transcript], foreign: Path, base_model: Path, corpus: Path
) -> None:
    lines = (corpus / "manifest.jsonl").read_text().splitlines()
    texts = {facts["path"]: facts["text"] for facts in map(json.loads, lines)}
    plain = BasicTextNormalizer()
    said = [plain(texts[name]) for name in FOREIGN.values()]
    bare = heard_by_faster_whisper(base_model, [(foreign / f"{language}.wav", language) for language in FOREIGN])
    rate = jiwer.wer(said, [plain(each_in_its_own[language].text) for language in FOREIGN])
    assert rate <= WORST_OF_FOREIGN
    assert rate <= jiwer.wer(said, [plain(text) for text in bare]) + MARGIN


def test_alternating_languages_are_each_recognized(
    foreign: Path, folder: Path, base_model: Path, examples: Path
) -> None:
    parts = [sound(examples / ENGLISH), *(sound(foreign / f"{language}.wav") for language in FOREIGN)]
    save(folder / "turns.wav", np.concatenate([each for part in parts for each in (part, silence(APART_SEC))]))
    options = ("--language", "auto", "--language-detection", "continuous", *ALONE)
    turns = transcribed(folder, base_model, [folder / "turns.wav"], "turns", *options)["turns"]
    assert turns.languages == ["en", *FOREIGN]
    spoken_sec = turns.document["metadata"]["languages"]
    assert spoken_sec.keys() == {"en", *FOREIGN}
    assert turns.document["metadata"]["language"] == max(spoken_sec, key=lambda language: spoken_sec[language])
    assert turns.text.startswith("This is the weather")


def test_with_detection_once_the_language_of_the_beginning_is_kept(
    foreign: Path, folder: Path, base_model: Path
) -> None:
    """The first four windows vote; a fifth one in another language does not change it."""
    parts = [*[sound(foreign / "fr.wav")] * 4, sound(foreign / "es.wav")]
    save(folder / "french-first.wav", np.concatenate([each for part in parts for each in (part, silence(APART_SEC))]))
    options = ("--language", "auto", "--language-detection", "once", *ALONE)
    heard = transcribed(folder, base_model, [folder / "french-first.wav"], "once", *options)["french-first"]
    assert heard.languages == ["fr"]
    assert heard.document["metadata"]["language"] == "fr"
