"""The words that a published English model recognizes in our own recordings: how many are right, and their times."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

import jiwer
import numpy as np
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from batchscribe.settings import load_settings
from batchscribe.speech.engine import RecognitionRequest
from batchscribe.speech.registry import choose_engine
from batchscribe.window import SAMPLE_RATE, Window
from tests.audio_files import samples_of
from tests.documents import ROOT
from tests.hard_recordings import Sound, noise, save, silence, without_silence
from tests.integration.heard import WITHIN_SEC, Transcript, transcribed

pytestmark = pytest.mark.timeout(2 * WITHIN_SEC)

TEXTS = json.loads((ROOT / "examples" / "texts.json").read_text())
CALL = "library-call.mp3"
MONOLOGUES = ("weather.wav", "shopping.mp3", "council.m4a", "house.mp4")
SHORT = (*MONOLOGUES, CALL)
ALL = (*SHORT, "village.m4a")
#: With `tiny.en` when this was written: at most 0.039 in each recording, where one word in 52 is 0.019.
WORST_WORD_ERROR_RATE = 0.06
#: 0.028 in all of them, 1,265 words.
WORST_OF_ALL = 0.045
#: Maximum distance of a word's time from its sound.
SLACK_SEC = 0.2
SILENCE_SEC = 60.0
#: Seconds of near silence in front of each monologue.
GAPS_SEC = (5.0, 1.5, 62.0, 4.0)
#: Sentences, and the places where a sentence is cut that takes longer than 15 s.
LONGEST_SEGMENT_SEC = 16.0

comparable = EnglishTextNormalizer()


def spoken(recording: str, channel: int | None = None) -> str:
    return " ".join(turn["text"] for turn in TEXTS[recording] if channel in (None, turn["channel"]))


def error_rate(said: str, heard: str) -> float:
    return float(jiwer.wer(comparable(said), comparable(heard)))


def decoded(examples: Path, name: str) -> Sound:
    return samples_of(examples / name).astype(np.float64)


def monologues(examples: Path) -> list[Sound]:
    return [without_silence(decoded(examples, name)) for name in MONOLOGUES]


def placed(examples: Path) -> list[tuple[float, float]]:
    """Return where each monologue begins and ends among the gaps."""
    places, now_sec = [], 0.0
    for gap_sec, sound in zip(GAPS_SEC, monologues(examples), strict=True):
        start_sec = now_sec + gap_sec
        now_sec = start_sec + len(sound) / SAMPLE_RATE
        places.append((start_sec, now_sec))
    return places


def with_gaps(examples: Path) -> Sound:
    parts = [part for gap, sound in zip(GAPS_SEC, monologues(examples), strict=True) for part in (silence(gap), sound)]
    whole = np.concatenate(parts)
    return whole + noise(len(whole) / SAMPLE_RATE, 0.0003)


@pytest.fixture(scope="module")
def recordings(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, and recordings derived from them."""
    folder = tmp_path_factory.mktemp("recordings")
    for name in ALL:
        shutil.copy(examples / name, folder / name)
    weather = decoded(examples, "weather.wav")
    save(folder / "quiet.wav", weather * 10 ** (-40 / 20))
    save(folder / "hardly-there.wav", decoded(examples, "council.m4a") * 10 ** (-55 / 20))
    save(folder / "behind-silence.wav", np.concatenate([silence(SILENCE_SEC), weather]))
    in_noise = np.concatenate([silence(SILENCE_SEC), weather])
    save(folder / "behind-noise.wav", in_noise + noise(len(in_noise) / SAMPLE_RATE, 0.0005))
    save(folder / "minute.wav", np.concatenate(monologues(examples)))
    save(folder / "gaps.wav", with_gaps(examples))
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the commands run."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def heard(recordings: Path, home: Path, tiny_en_model: Path) -> dict[str, Transcript]:
    return transcribed(home, tiny_en_model, [recordings], "all", "--engine-processes", "2")


# --- what was said ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recording", ALL)
def test_nearly_every_word_of_a_recording_is_right(heard: dict[str, Transcript], recording: str) -> None:
    assert error_rate(spoken(recording), heard[Path(recording).stem].text) <= WORST_WORD_ERROR_RATE


def test_the_examples_together_have_few_wrong_words(heard: dict[str, Transcript]) -> None:
    said = [comparable(spoken(recording)) for recording in ALL]
    texts = [comparable(heard[Path(recording).stem].text) for recording in ALL]
    assert jiwer.wer(said, texts) <= WORST_OF_ALL


def test_a_quieter_recording_has_its_words(heard: dict[str, Transcript]) -> None:
    """Quieter by 40 dB, and by 55 dB, where the voice detector alone no longer finds this voice."""
    assert error_rate(spoken("weather.wav"), heard["quiet"].text) <= WORST_WORD_ERROR_RATE
    assert error_rate(spoken("council.m4a"), heard["hardly-there"].text) <= 2 * WORST_WORD_ERROR_RATE


def test_each_side_of_a_call_has_its_own_words(recordings: Path, home: Path, tiny_en_model: Path) -> None:
    call = transcribed(home, tiny_en_model, [recordings / CALL], "sides", "--channels", "--engine-processes", "1")[
        "library-call"
    ]
    for channel in (0, 1):
        assert error_rate(spoken(CALL, channel), call.of_channel(channel)) <= WORST_WORD_ERROR_RATE
    turns = [segment["channel"] for segment in call.segments]
    changes = [turn for turn, before in zip(turns, [None, *turns], strict=False) if turn != before]
    assert changes == [turn["channel"] for turn in TEXTS[CALL]]


def test_nothing_is_doubtful_about_clear_speech(heard: dict[str, Transcript]) -> None:
    assert {name: (each.flags, each.warnings) for name, each in heard.items() if each.flags or each.warnings} == {}


# --- segments --------------------------------------------------------------------------------------------------


def test_words_are_inside_their_segment_and_segments_in_order(heard: dict[str, Transcript]) -> None:
    for name, transcript in heard.items():
        for segment in transcript.segments:
            assert 0 <= segment["start"] <= segment["end"] <= transcript.document["duration_sec"], (name, segment)
            inside = [segment["start"], *(time for word in segment["words"] for time in (word["start"], word["end"]))]
            assert inside == sorted(inside), (name, segment)
            assert inside[-1] <= segment["end"], (name, segment)
        assert all(before["end"] <= after["start"] for before, after in pairwise(transcript.segments)), name


def test_segments_make_up_the_text_and_words_make_up_segments(heard: dict[str, Transcript]) -> None:
    for name, transcript in heard.items():
        assert " ".join(segment["text"] for segment in transcript.segments) == transcript.text, name
        for segment in transcript.segments:
            assert " ".join(word["word"] for word in segment["words"]) == segment["text"], name


def test_words_take_time(heard: dict[str, Transcript]) -> None:
    """Hardly any word is too short, and none extends across a pause."""
    words = [word for transcript in heard.values() for word in transcript.words]
    lengths = np.array([word["end"] - word["start"] for word in words])
    assert np.mean(lengths >= 0.04) >= 0.97
    assert lengths.max() <= 2.0


def test_speech_without_a_pause_is_divided_into_sentences(heard: dict[str, Transcript]) -> None:
    minute = heard["minute"]
    n_sentences = sum(spoken(recording).count(". ") + 1 for recording in MONOLOGUES)
    assert n_sentences - 3 <= len(minute.segments) <= n_sentences + 3
    assert sum(segment["text"].endswith((".", "?")) for segment in minute.segments) >= n_sentences - 4


def test_no_segment_is_a_window_of_the_model(heard: dict[str, Transcript]) -> None:
    for name, transcript in heard.items():
        assert max(segment["end"] - segment["start"] for segment in transcript.segments) <= LONGEST_SEGMENT_SEC, name
        assert max(len(segment["words"]) for segment in transcript.segments) <= 100, name


# --- where the words are ---------------------------------------------------------------------------------------


def test_speech_is_timed_where_it_was_put(heard: dict[str, Transcript], examples: Path) -> None:
    """The first and the last word of each monologue, also after a minute without speech."""
    words = heard["gaps"].words
    for start_sec, end_sec in placed(examples):
        inside = [word for word in words if start_sec - 1 <= (word["start"] + word["end"]) / 2 <= end_sec + 1]
        assert inside[0]["start"] == pytest.approx(start_sec, abs=SLACK_SEC)
        assert inside[-1]["end"] == pytest.approx(end_sec, abs=SLACK_SEC)


@pytest.mark.parametrize("recording", ["behind-silence", "behind-noise"])
def test_a_minute_before_the_speech_moves_every_word_by_a_minute(heard: dict[str, Transcript], recording: str) -> None:
    alone, behind = heard["weather"].words, heard[recording].words
    assert error_rate(spoken("weather.wav"), heard[recording].text) <= WORST_WORD_ERROR_RATE
    assert behind[0]["start"] - SILENCE_SEC == pytest.approx(alone[0]["start"], abs=SLACK_SEC)
    pairs = [(one, other) for one, other in zip(alone, behind, strict=True) if one["word"] == other["word"]]
    moved = np.array([other["start"] - one["start"] - SILENCE_SEC for one, other in pairs])
    assert len(pairs) >= 0.9 * len(alone)
    assert np.mean(np.abs(moved) <= SLACK_SEC) >= 0.95  # the start of the first word after a pause is often ambiguous


# --- always the same -------------------------------------------------------------------------------------------


def test_another_number_of_workers_gives_the_same_bytes(
    heard: dict[str, Transcript], recordings: Path, home: Path, tiny_en_model: Path
) -> None:
    inputs = [recordings / name for name in reversed(SHORT)]
    one_worker = transcribed(home, tiny_en_model, inputs, "one-worker", "--engine-processes", "1")
    assert {name: each.raw for name, each in one_worker.items()} == {name: heard[name].raw for name in one_worker}


def test_a_recording_by_itself_gives_the_same_bytes(
    heard: dict[str, Transcript], recordings: Path, home: Path, tiny_en_model: Path
) -> None:
    alone = transcribed(home, tiny_en_model, [recordings / "house.mp4"], "alone", "--engine-processes", "1")
    assert alone["house"].raw == heard["house"].raw


def test_a_window_has_the_same_words_whatever_is_in_the_batch_with_it(
    examples: Path, tiny_en_model: Path, tmp_path: Path
) -> None:
    settings = load_settings(data_dir=tmp_path, whisper_model=str(tiny_en_model))
    engine = choose_engine("whisper", "en", settings).spec.build()
    cuts = [sound[at * SAMPLE_RATE :][: 4 * SAMPLE_RATE] for sound in monologues(examples) for at in (0, 5)]
    requests = [RecognitionRequest(Window(0, 0.0, cut.astype(np.float32), ((0.0, 4.0),)), "en-US") for cut in cuts]
    alone = [engine.transcribe([request])[0] for request in requests]
    assert all(each.text for each in alone)
    assert engine.transcribe(requests) == alone
    assert engine.transcribe(requests[::-1]) == alone[::-1]
    assert engine.transcribe(requests[2:5]) == alone[2:5]
