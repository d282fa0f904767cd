"""A published model on sound without speech, and on sound that invites repetition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.audio_files import samples_of
from tests.hard_recordings import NOBODY_SPEAKS, TEMPTING, repeated, save, sentence
from tests.integration.heard import WITHIN_SEC, Transcript, transcribed

pytestmark = pytest.mark.timeout(2 * WITHIN_SEC)

#: Maximum repetitions of a phrase without a flag.
MOST_TIMES = 4
#: Repetitions of a sentence, and the seconds between them.
SAID_OFTEN = {"said-often": (12, 0.6), "said-often-apart": (6, 4.0)}


def most_times(text: str) -> int:
    """Return the maximum number of consecutive repetitions of a phrase."""
    words = re.findall(r"\w+", text.lower())
    return max((times_from(words[start:]) for start in range(len(words))), default=0)


def times_from(words: list[str]) -> int:
    """Return how often the phrase at the start of the words is repeated in a row."""
    longest = len(words) // 2
    return max((times_of(words, length) for length in range(1, longest + 1)), default=1)


def times_of(words: list[str], length: int) -> int:
    parts = [words[at : at + length] for at in range(0, len(words), length)]
    return next((at for at, part in enumerate(parts) if part != parts[0]), len(parts))


def test_a_repetition_is_counted_in_words() -> None:
    assert [most_times(text) for text in ("", "One two.", "No, no no!", "So I, so I, so I say")] == [0, 1, 3, 3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("doubts")


@pytest.fixture(scope="module")
def unspoken(folder: Path) -> Path:
    (folder / "unspoken").mkdir()
    for name, make in NOBODY_SPEAKS.items():
        save(folder / "unspoken" / f"{name}.wav", make())
    return folder / "unspoken"


@pytest.fixture(scope="module")
def tempted(folder: Path, examples: Path, tiny_en_model: Path) -> Mapping[str, Transcript]:
    (folder / "tempting").mkdir()
    speech = {name: samples_of(examples / name).astype(np.float64) for name in ("weather.wav", "shopping.mp3")}
    for name, make in TEMPTING.items():
        save(folder / "tempting" / f"{name}.wav", make(speech["weather.wav"]))
    save(folder / "tempting" / "stretched-vowel.wav", TEMPTING["stretched-vowel"](speech["shopping.mp3"]))
    for name, (times, pause_sec) in SAID_OFTEN.items():
        save(folder / "tempting" / f"{name}.wav", repeated(sentence(speech["weather.wav"]), times, pause_sec))
    return transcribed(folder, tiny_en_model, [folder / "tempting"], "tempted")


# --- without speech --------------------------------------------------------------------------------------------


def test_without_speech_there_are_no_words(folder: Path, unspoken: Path, tiny_en_model: Path) -> None:
    heard = transcribed(folder, tiny_en_model, [unspoken], "unspoken-heard")
    assert {name: (each.text, each.warnings) for name, each in heard.items()} == dict.fromkeys(NOBODY_SPEAKS, ("", []))


def test_without_segmentation_every_invented_sentence_is_flagged(
    folder: Path, unspoken: Path, tiny_en_model: Path
) -> None:
    """Two words for a sound, such as "beep beep" for a ringing telephone, are not a sentence."""
    heard = transcribed(folder, tiny_en_model, [unspoken], "unspoken-all", "--segmentation", "none")
    for name, transcript in heard.items():
        unmarked = [segment["text"] for segment in transcript.segments if not segment.get("flags")]
        assert all(len(text.split()) <= 2 for text in unmarked), (name, unmarked)
        is_marked = len(unmarked) < len(transcript.segments)
        assert is_marked <= any("Text is doubtful" in warning for warning in transcript.warnings), name
    assert any("was removed in" in warning for each in heard.values() for warning in each.warnings)
    assert heard["digital-silence"].text == heard["faint-noise"].text == heard["hum"].text == ""


# --- with speech -----------------------------------------------------------------------------------------------


def test_no_phrase_is_repeated_without_a_flag(tempted: Mapping[str, Transcript]) -> None:
    looping = {name: each for name, each in tempted.items() if most_times(each.text) > MOST_TIMES}
    assert looping.keys() <= SAID_OFTEN.keys()


def test_the_variations_of_a_loop_are_marked(tempted: Mapping[str, Transcript]) -> None:
    """In a vowel of 20 seconds the model recognizes one phrase throughout, and varies it where it may not repeat it."""
    vowel = tempted["stretched-vowel"]
    assert len(vowel.words) <= 3
    assert all(segment.get("flags") for segment in vowel.segments)
    assert vowel.warnings


@pytest.mark.parametrize("recording", SAID_OFTEN)
def test_phrases_that_are_really_repeated_are_kept(tempted: Mapping[str, Transcript], recording: str) -> None:
    said = tempted[recording].text.lower().count("this is the weather for the weekend")
    times, _ = SAID_OFTEN[recording]
    assert times - 1 <= said <= times


def test_speech_is_recognized_whatever_comes_before_and_after_it(tempted: Mapping[str, Transcript]) -> None:
    for recording in ("before-chords", "between-silences"):
        transcript = tempted[recording]
        assert transcript.text.startswith("This is the weather for the weekend.")
        assert transcript.text.endswith("stay at home.")
        assert (transcript.flags, transcript.warnings) == (set(), [])
    last = tempted["before-chords"].words[-1]
    assert last["end"] < 16.5  # nothing during the music


def test_flags_and_warnings_come_together(tempted: Mapping[str, Transcript]) -> None:
    """Every flagged segment has a warning that names the flag, and every warning has a flagged segment."""
    for name, transcript in tempted.items():
        doubtful = [warning for warning in transcript.warnings if "Text is doubtful" in warning]
        assert bool(doubtful) == bool(transcript.flags), name
        assert all(flag in doubtful[0] for flag in transcript.flags), name
    assert any(transcript.flags for transcript in tempted.values())
    assert any("was removed in" in warning for each in tempted.values() for warning in each.warnings)
