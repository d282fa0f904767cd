"""Speakers in transcripts: who says each word, where segments end, and what the formats show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby, pairwise

import pytest
import srt
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from batchscribe import __version__
from batchscribe.transcript import segments as segments_module
from batchscribe.transcript.cues import cues
from batchscribe.transcript.document import Metadata, Transcript, assemble
from batchscribe.transcript.formats import FORMATS
from batchscribe.transcript.segments import RecognizedWindow
from batchscribe.transcript.word_speakers import assign_speakers
from batchscribe.window import Flag, Phrase, Recognition, SpeakerTurn, Word
from batchscribe.wire.config import Config

ON = Config(diarization=True, word_time_offsets=True)


def said(text: str, start_sec: float = 0.0, *, word_sec: float = 0.3) -> tuple[Word, ...]:
    """Words of `word_sec` each, one after another; `...2` is a pause of 2 s."""
    words: list[Word] = []
    for part in text.split():
        if part.startswith("..."):
            start_sec += float(part.removeprefix("..."))
        else:
            words.append(Word(part, round(start_sec, 3), round(start_sec + word_sec, 3)))
            start_sec += word_sec
    return tuple(words)


def window(words: Sequence[Word], *, start_sec: float = 0.0) -> RecognizedWindow:
    text = " ".join(word.text for word in words)
    duration_sec = words[-1].end_sec + 0.5
    return RecognizedWindow(0, start_sec, duration_sec, Recognition.of(text, tuple(words), duration_sec))


def transcribed(
    *windows: RecognizedWindow, turns: Sequence[SpeakerTurn], config: Config = ON, duration_sec: float = 60.0
) -> Transcript:
    metadata = Metadata("scripted", None, "s3://in/a.wav", None, 7)
    return assemble(
        windows,
        duration_sec=duration_sec,
        channels=1,
        model="scripted-1",
        request_id="req_1",
        config=config,
        metadata=metadata,
        turns=turns,
    )


def document(made: Transcript) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(FORMATS["json"].render(made))
    return found


def lines(made: Transcript) -> list[tuple[int | None, str]]:
    return [(segment.speaker, segment.text) for segment in made.segments]


def turns_of(*spans: tuple[float, float, int]) -> list[SpeakerTurn]:
    return [SpeakerTurn(*span) for span in spans]


# --- who says a word ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([(0.0, 0.6, 0), (0.6, 1.2, 1)], [0, 0, 1, 1]),
        ([(0.0, 0.7, 4), (0.7, 1.2, 2)], [4, 4, 2, 2]),
        ([(0.0, 1.2, 0), (0.65, 0.8, 1)], [0, 0, 0, 0]),
        ([(0.0, 1.2, 0), (0.6, 1.2, 1)], [0, 0, 0, 0]),
        ([(0.6, 1.2, 1), (0.0, 0.9, 0)], [0, 0, 0, 1]),
        ([(5.0, 6.0, 3)], [3, 3, 3, 3]),
        ([(0.0, 0.1, 0), (1.1, 1.2, 1)], [0, 0, 1, 1]),
        ([], []),
    ],
)
def test_a_word_belongs_to_the_turn_that_covers_most_of_it_or_else_to_the_nearest(
    turns: list[tuple[float, float, int]], expected: list[int]
) -> None:
    assert assign_speakers(said("a b c d"), turns_of(*turns)) == expected


def test_a_word_without_length_belongs_to_the_turn_at_its_time() -> None:
    words = (Word("a", 0.5, 0.5), Word("b", 1.5, 1.5))
    assert assign_speakers(words, turns_of((0.0, 1.0, 0), (1.0, 2.0, 1))) == [0, 1]


def test_a_distant_turn_that_has_ended_counts_as_much_as_one_that_has_not_begun() -> None:
    words = (Word("a", 10.0, 10.3), Word("b", 20.0, 20.3))
    assert assign_speakers(words, turns_of((0.0, 8.0, 0), (13.0, 14.0, 1), (14.0, 17.0, 2))) == [0, 2]


def test_a_short_word_between_two_of_another_speaker_stays_with_them() -> None:
    words = said("that is of course true")
    jitter = turns_of((0.0, 0.68, 0), (0.68, 0.85, 1), (0.85, 1.5, 0))
    assert assign_speakers(words, jitter) == [0] * 5


def test_a_short_answer_stays_even_if_its_turn_is_inexact() -> None:
    words = said("Is it so? Yes. Good.")
    assert assign_speakers(words, turns_of((0.0, 1.02, 0), (1.02, 1.2, 1), (1.2, 2.0, 0))) == [0, 0, 0, 1, 0]


def test_a_short_word_that_a_turn_of_its_own_covers_is_an_interjection() -> None:
    words = said("we can do ...0.1 yes ...0.1 it tomorrow")
    own = turns_of((0.0, 0.95, 0), (0.95, 1.35, 1), (1.35, 2.0, 0))
    assert assign_speakers(words, own) == [0, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("border_sec", [0.75, 0.9, 1.1])
def test_an_inexact_change_of_speakers_moves_to_the_end_of_the_sentence(border_sec: float) -> None:
    words = said("How are you? Fine, and you?")
    assert assign_speakers(words, turns_of((0.0, border_sec, 0), (border_sec, 2.0, 1))) == [0, 0, 0, 1, 1, 1]


def test_without_punctuation_it_moves_to_the_pause() -> None:
    words = said("how are you ...0.3 fine thanks")
    assert assign_speakers(words, turns_of((0.0, 0.7, 0), (0.7, 2.0, 1))) == [0, 0, 0, 1, 1]


def test_a_change_never_moves_by_more_than_a_word_nor_away_from_its_turn() -> None:
    words = said("How are you today? Fine.", word_sec=0.6)
    assert assign_speakers(words, turns_of((0.0, 1.2, 0), (1.2, 3.0, 1))) == [0, 0, 1, 1, 1]


def test_a_short_answer_of_one_word_keeps_its_speaker() -> None:
    words = said("Are you sure? Yes. Good, then go.")
    assert assign_speakers(words, turns_of((0.0, 0.9, 0), (0.9, 1.2, 1), (1.2, 3.0, 0))) == [0, 0, 0, 1, 0, 0, 0]


TURNS = st.builds(
    lambda start, length, speaker: SpeakerTurn(start, start + length, speaker),
    st.floats(0, 20),
    st.floats(0, 5),
    st.integers(0, 3),
)


@given(st.lists(TURNS, min_size=1, max_size=12), st.lists(st.floats(0, 0.8), min_size=1, max_size=30))
def test_every_word_has_one_of_the_speakers_in_whatever_order_the_turns_come(
    turns: list[SpeakerTurn], lengths: list[float]
) -> None:
    words, now = [], 0.0
    for length in lengths:
        words.append(Word("w", now, now + length))
        now += length
    found = assign_speakers(words, turns)
    assert len(found) == len(words)
    assert set(found) <= {turn.speaker for turn in turns}
    assert assign_speakers(words, turns[::-1]) == found


# --- segments and metadata ---------------------------------------------------------------------------------------

CALL = said("Good morning. How can I help? ...0.2 I lost my card. ...0.2 Oh dear. When?", 0.5)
CALL_TURNS = turns_of((0.4, 2.4, 7), (2.4, 3.9, 2), (3.9, 5.0, 7))


def test_segments_end_where_the_speaker_changes_and_speakers_are_numbered_as_they_appear() -> None:
    made = transcribed(window(CALL), turns=CALL_TURNS)
    assert lines(made) == [
        (1, "Good morning."),
        (1, "How can I help?"),
        (2, "I lost my card."),
        (1, "Oh dear."),
        (1, "When?"),
    ]


def test_a_segment_and_its_words_name_the_speaker() -> None:
    written = document(transcribed(window(CALL), turns=CALL_TURNS))
    segments = written["result"]["segments"]
    assert isinstance(segments, list)
    assert [segment["speaker"] for segment in segments] == [f"Speaker {n}" for n in (1, 1, 2, 1, 1)]
    assert all(word["speaker"] == segment["speaker"] for segment in segments for word in segment["words"])
    assert segments[2]["words"][0] == {"word": "I", "start": 2.5, "end": 2.8, "speaker": "Speaker 2"}
    assert all("channel" not in segment for segment in segments)


def test_the_metadata_count_the_speakers_and_their_seconds_of_speech() -> None:
    turns = [*CALL_TURNS, SpeakerTurn(4.5, 5.5, 7), SpeakerTurn(59.0, 70.0, 7), SpeakerTurn(30.0, 30.4, 9)]
    metadata = document(transcribed(window(CALL), turns=turns))["metadata"]
    assert metadata["speakers"] == {"count": 2, "seconds": {"Speaker 1": 4.6, "Speaker 2": 1.5}}


def test_a_recording_without_turns_has_no_speakers() -> None:
    written = document(transcribed(window(CALL), turns=()))
    assert written["metadata"]["speakers"] == {"count": 0, "seconds": {}}
    assert "speaker" not in json.dumps(written["result"])


def test_the_text_is_the_same_with_and_without_speakers() -> None:
    with_turns, without = transcribed(window(CALL), turns=CALL_TURNS), transcribed(window(CALL), turns=())
    assert with_turns.text_display == without.text_display
    words = [[word for segment in made.segments for word in segment.words] for made in (with_turns, without)]
    assert words[0] == words[1]


def test_an_engine_without_word_times_gives_whole_phrases_to_a_speaker() -> None:
    phrases = (Phrase("Good morning", 0.0, 2.0), Phrase("I lost my card", 2.0, 5.0))
    spoken = RecognizedWindow(0, 10.0, 5.0, Recognition(phrases))
    made = transcribed(spoken, turns=turns_of((10.0, 12.5, 1), (12.5, 15.0, 0)))
    assert lines(made) == [(1, "Good morning"), (2, "I lost my card")]


def test_speakers_are_the_same_across_windows() -> None:
    first, second = window(said("Hello there.")), window(said("Hello again."), start_sec=20.0)
    made = transcribed(second, first, turns=turns_of((0.0, 1.0, 3), (19.0, 22.0, 3)))
    assert lines(made) == [(1, "Hello there."), (1, "Hello again.")]


@given(st.lists(TURNS, max_size=12), st.integers(1, 60))
def test_segments_of_any_turns_keep_every_word_in_order(turns: list[SpeakerTurn], count: int) -> None:
    words = said(" ".join(f"w{number}." if number % 7 == 0 else f"w{number}" for number in range(count)))
    made = transcribed(window(words), turns=turns)
    assert [word.text for segment in made.segments for word in segment.words] == [word.text for word in words]
    assert made.text_display == " ".join(word.text for word in words)
    for earlier, later in pairwise(made.segments):
        assert earlier.end_sec <= later.start_sec


def test_the_limit_of_segments_holds_with_speakers_who_alternate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "MAX_SEGMENTS", 20)
    words = said(" ".join(f"w{number}." for number in range(80)), word_sec=1.0)
    turns = turns_of(*((float(number), number + 1.0, number // 2 % 2) for number in range(80)))
    made = transcribed(window(words), turns=turns, duration_sec=90.0)
    assert len(made.segments) <= 20
    assert sorted(word.text for segment in made.segments for word in segment.words) == sorted(w.text for w in words)
    assert {segment.speaker for segment in made.segments} == {1, 2}


# --- formats -----------------------------------------------------------------------------------------------------


def test_plain_text_is_a_conversation() -> None:
    written = FORMATS["txt"].render(transcribed(window(CALL), turns=CALL_TURNS)).decode()
    assert written == (
        "Speaker 1: Good morning. How can I help?\n\nSpeaker 2: I lost my card.\n\nSpeaker 1: Oh dear. When?\n"
    )


def test_subtitles_of_web_pages_have_the_voice_of_each_cue() -> None:
    read = webvtt.from_string(FORMATS["vtt"].render(transcribed(window(CALL), turns=CALL_TURNS)).decode())
    assert [(caption.voice, caption.text) for caption in read.captions] == [
        ("Speaker 1", "Good morning. How can I help?"),
        ("Speaker 2", "I lost my card."),
        ("Speaker 1", "Oh dear. When?"),
    ]


def test_subtitles_of_players_name_the_speaker_where_it_changes() -> None:
    read = list(srt.parse(FORMATS["srt"].render(transcribed(window(CALL), turns=CALL_TURNS)).decode()))
    assert [cue.content.replace("\n", " ") for cue in read] == [
        "Speaker 1: Good morning. How can I help?",
        "Speaker 2: I lost my card.",
        "Speaker 1: Oh dear. When?",
    ]


@given(st.lists(TURNS, min_size=1, max_size=12), st.integers(1, 40))
def test_no_cue_mixes_two_speakers(turns: list[SpeakerTurn], count: int) -> None:
    words = said(" ".join(f"w{number}" for number in range(count)))
    made = transcribed(window(words), turns=turns)
    shown = cues(made, with_labels=False)
    assert all(len(cue.parts) == 1 for cue in shown)
    labels = [label for label, _ in groupby(cue.parts[0].label for cue in shown)]
    assert labels == [label for label, _ in groupby(made.label(segment) for segment in made.segments)]


# --- without diarization -----------------------------------------------------------------------------------------

#: As releases without diarization wrote them.
PLAIN = {
    "json": """{"request_id": "req_1",
 "duration_sec": 12.5,
 "model": "scripted-1",
 "result": {"text_display": "Good day, Zoë. Well, l'eau costs $5. And this has no words",
  "text_lexical": "good day zoë well l'eau costs $5 and this has no words",
  "segments": [
   {"id": "seg_0001", "start": 1.1, "end": 2.2, "text": "Good day, Zoë.", "language": "en", "flags": ["low_speech"], \
"words": [{"word": "Good", "start": 1.1, "end": 1.4}, {"word": "day,", "start": 1.4, "end": 1.8}, \
{"word": "Zoë.", "start": 1.8, "end": 2.2}]},
   {"id": "seg_0002", "start": 3.4, "end": 4.9, "text": "Well, l'eau costs $5.", "language": "en", \
"flags": ["low_speech"], "words": [{"word": "Well,", "start": 3.4, "end": 3.6}, \
{"word": "l'eau", "start": 3.6, "end": 4.0}, {"word": "costs", "start": 4.0, "end": 4.2}, \
{"word": "$5.", "start": 4.2, "end": 4.9}]},
   {"id": "seg_0003", "start": 8.25, "end": 9.75, "text": "And this has no words", "words": []}]},
 "metadata": {"engine": "scripted", "model": "scripted-1", "config": {"language": "en-US", \
"segmentation_mode": "auto", "timestamps": true, "word_time_offsets": true, "channel_separation": false, \
"diarization": false, "profanity_filter": false, "output_format": "json"}, \
"input": {"uri": "s3://in/a.wav", "size_bytes": 7}, "batchscribe_version": "VERSION", "warnings": []}}
""",
    "srt": """1
00:00:01,100 --> 00:00:02,200
Good day, Zoë.

2
00:00:03,400 --> 00:00:04,900
Well, l'eau costs $5.

3
00:00:08,250 --> 00:00:09,750
And this has no words
""",
    "vtt": """WEBVTT

00:00:01.100 --> 00:00:02.200
Good day, Zoë.

00:00:03.400 --> 00:00:04.900
Well, l'eau costs $5.

00:00:08.250 --> 00:00:09.750
And this has no words
""",
    "txt": """Good day, Zoë. Well, l'eau costs $5.

And this has no words
""",
}


@pytest.mark.parametrize("name", PLAIN)
def test_without_the_new_options_every_byte_is_as_before(name: str) -> None:
    times = [0.1, 0.4, 0.8, 1.2, 2.4, 2.6, 3.0, 3.2, 3.9]
    spans = [*pairwise(times[:4]), *pairwise(times[4:])]
    texts = ["Good", "day,", "Zoë.", "Well,", "l'eau", "costs", "$5."]
    words = tuple(Word(text, start, end, 0.5) for text, (start, end) in zip(texts, spans, strict=True))
    phrase = Phrase("Good day, Zoë. Well, l'eau costs $5.", 0.0, 5.0, words, (Flag.LOW_SPEECH,))
    spoken = (
        RecognizedWindow(0, 1.0, 5.0, Recognition((phrase,), language="en")),
        RecognizedWindow(0, 8.0, 2.0, Recognition((Phrase("And  this\nhas no words", 0.25, 1.75),))),
    )
    made = transcribed(*spoken, turns=(), config=Config(word_time_offsets=True), duration_sec=12.5)
    assert FORMATS[name].render(made).decode() == PLAIN[name].replace("VERSION", __version__)
