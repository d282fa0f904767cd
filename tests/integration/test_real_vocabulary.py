"""A vocabulary with a published model: names are spelled as listed, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from batchscribe.audio.segmenter import segmenter
from batchscribe.settings import load_settings
from batchscribe.speech.engine import Engine, RecognitionRequest
from batchscribe.speech.registry import choose_engine
from batchscribe.window import Recognition, Window, Word
from tests.audio_files import samples_of
from tests.integration.heard import WITHIN_SEC

pytestmark = pytest.mark.timeout(2 * WITHIN_SEC)

#: Recordings of the corpus with a name that `base` alone does not write as in their references.
NAMED = {
    "cmu-arctic/cmu_arctic_us_aew_a0002.wav": ("en-US", "Whittemore."),
    "ljspeech/LJ001-0007.wav": ("en-US", "Gutenberg"),
    "fleurs/fleurs-de-000.ogg": ("de", "Kowloon"),
    "fleurs/fleurs-es-004.ogg": ("es", "Carpanedo"),
    "fleurs/fleurs-fr-004.ogg": ("fr", "Mashhad"),
    "fleurs/fleurs-pt-000.ogg": ("pt", "Bieber"),
}
#: In none of the recordings here. Some resemble words that are said, such as "time", "roads", "thin" and "police".
OTHERS = (
    *("Tyme", "Rhodes", "Thynn", "Polis", "Mather", "Booker", "Claire", "Wether", "Kold", "Goode", "Pryce", "Seymour"),
    *(f"{first} {last}" for first in ("Xanthe", "Wojciech", "Siobhán", "Nguyễn") for last in ("Okonkwo", "Abernathy")),
    *(f"Kestrel-{number}" for number in range(73)),
)


@pytest.fixture(scope="module")
def engine(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    settings = load_settings(data_dir=tmp_path_factory.mktemp("data"), whisper_model=str(base_model), device="cpu")
    return choose_engine("whisper", "en", settings, vocabulary=True).spec.build()


def windows_of(path: Path) -> list[Window]:
    samples = samples_of(path).astype(np.float32)
    cut = segmenter(0, "auto", 30.0)
    return [*cut.accept(samples), *cut.finish()]


def requests_of(path: Path, language: str = "en-US", vocabulary: tuple[str, ...] = ()) -> list[RecognitionRequest]:
    return [RecognitionRequest(window, language, vocabulary=vocabulary) for window in windows_of(path)]


def recognize(engine: Engine, requests: list[RecognitionRequest]) -> list[Recognition]:
    return [engine.transcribe([request])[0] for request in requests]


def words_of(found: list[Recognition]) -> list[Word]:
    return [word for recognition in found for phrase in recognition.phrases for word in phrase.words]


def test_only_the_words_of_the_phrase_change(engine: Engine, examples: Path) -> None:
    path = examples / "library-call.mp3"
    before = words_of(recognize(engine, requests_of(path)))
    after = words_of(recognize(engine, requests_of(path, vocabulary=(*OTHERS[:99], "City Library"))))
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [(old.text, new.text) for old, new in changed] == [("city", "City"), ("library,", "Library,")]
    start_sec, end_sec = changed[0][0].start_sec, changed[1][0].end_sec
    assert (changed[0][1].start_sec, changed[1][1].end_sec) == (start_sec, end_sec)
    assert start_sec < changed[0][1].end_sec == changed[1][1].start_sec < end_sec
    assert all(0.5 < (new.confidence or 0) <= 1 for _, new in changed)


@pytest.mark.parametrize("name", ["weather.wav", "shopping.mp3", "council.m4a", "house.mp4"])
def test_a_recording_without_the_phrases_is_recognized_as_without_a_vocabulary(
    engine: Engine, examples: Path, name: str
) -> None:
    requests = requests_of(examples / name)
    given = [replace(each, vocabulary=OTHERS) for each in requests]
    assert recognize(engine, given) == recognize(engine, requests)


def test_windows_with_different_vocabularies_share_a_call(engine: Engine, examples: Path) -> None:
    [first, *_] = requests_of(examples / "library-call.mp3", vocabulary=("City Library",))
    [other, *_] = requests_of(examples / "weather.wav", vocabulary=OTHERS)
    batch = [replace(first, vocabulary=()), other, first, replace(first, vocabulary=("Sentence",))]
    alone = recognize(engine, batch)
    assert engine.transcribe(batch) == alone
    assert engine.transcribe(batch[::-1]) == alone[::-1]
    assert ["City Library" in each.text for each in alone] == [False, False, True, False]


def test_names_are_written_as_listed(engine: Engine, corpus: Path) -> None:
    vocabulary = tuple(dict.fromkeys((*(name.strip(".,") for _, name in NAMED.values()), *OTHERS)))[:100]
    for path, (language, name) in NAMED.items():
        before = words_of(recognize(engine, requests_of(corpus / path, language)))
        after = words_of(recognize(engine, requests_of(corpus / path, language, vocabulary)))
        changed = [new.text for old, new in zip(before, after, strict=True) if old != new]
        assert changed == [name], path
