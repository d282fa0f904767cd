"""Times, text, order and limits of a transcript's segments."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscribe.transcript.document import Metadata, assemble
from batchscribe.transcript.segments import (
    MAX_SEGMENTS,
    MAX_WORDS,
    RecognizedWindow,
    TranscriptSegment,
    transcript_segments,
)
from batchscribe.transcript.sentences import MAX_SEC, MAX_SENTENCE_WORDS, PAUSE_SEC
from batchscribe.window import Flag, Phrase, Recognition, Word
from batchscribe.wire.config import Config


def recognized(
    text: str, start: float, duration: float = 1.0, *, words: tuple[Word, ...] = (), channel: int = 0
) -> RecognizedWindow:
    """A window with one phrase."""
    return RecognizedWindow(channel, start, duration, Recognition((Phrase(text, 0.0, duration, words),)))


def counted(count: int, *, sec: float = 0.25) -> tuple[Word, ...]:
    """`count` words of `sec` seconds each: "w0", "w1"..."""
    return tuple(Word(f"w{n}", n * sec, (n + 1) * sec) for n in range(count))


def test_segments_are_sorted_by_time_then_channel() -> None:
    spoken = [recognized("c", 2.0), recognized("b", 0.0, channel=1), recognized("a", 0.0, channel=0)]
    assert [segment.text for segment in transcript_segments(spoken, 5.0)] == ["a", "b", "c"]
    assert transcript_segments(reversed(spoken), 5.0) == transcript_segments(spoken, 5.0)


def test_a_phrase_without_text_is_left_out() -> None:
    assert transcript_segments([recognized(" ", 0.0), recognized("", 1.0)], 5.0) == ()


def test_each_phrase_of_a_window_is_a_segment_with_its_own_times() -> None:
    window = RecognizedWindow(0, 10.0, 30.0, Recognition((Phrase("One", 1.0, 4.5), Phrase("two", 20.0, 29.0))))
    assert transcript_segments([window], 60.0) == (
        TranscriptSegment(0, 11.0, 14.5, "One"),
        TranscriptSegment(0, 30.0, 39.0, "two"),
    )


def test_times_lie_within_the_recording_and_are_whole_milliseconds() -> None:
    words = (Word("a", -1, 0.1), Word("b", 0.5, 9))
    (segment,) = transcript_segments([recognized("a b", 1.0004, 9.0, words=words)], 2.5)
    assert (segment.start_sec, segment.end_sec) == (1.0, 2.5)
    assert [(word.start_sec, word.end_sec) for word in segment.words] == [(1.0, 1.1), (1.5, 2.5)]


def test_sums_of_floats_leave_no_tail() -> None:
    (segment,) = transcript_segments([recognized("a", 27.1, 0.3)], 60.0)
    assert segment.end_sec == 27.4
    assert type(segment.end_sec) is float


def test_times_that_an_engine_gives_as_numpy_numbers_become_plain_ones() -> None:
    words = (Word("a", float(np.float32(0.1)), np.float32(0.2)),)  # type: ignore[arg-type]  # engines do it
    (segment,) = transcript_segments([recognized("a", 1.0, words=words)], 5.0)
    assert [(type(word.end_sec), word.end_sec) for word in segment.words] == [(float, 1.2)]
    assert type(segment.end_sec) is float


SPANS = st.tuples(st.floats(-1, 40), st.floats(-1, 40))
WHOLE_MILLISECONDS = st.integers(1, 60_000).map(lambda number: number / 1000)


@given(st.lists(SPANS, max_size=20), st.floats(0, 50), st.floats(0, 30), WHOLE_MILLISECONDS)
def test_words_follow_one_another_inside_their_segments(
    spans: list[tuple[float, float]], start: float, duration: float, recording: float
) -> None:
    words = tuple(Word("w", *span) for span in spans)
    segments = transcript_segments([recognized("w " * 20, start, duration, words=words)], recording)
    times = [time for s in segments for w in s.words for time in (w.start_sec, w.end_sec)]
    edges = [0.0, *times, recording]
    assert edges == sorted(edges)
    assert sum(len(segment.words) for segment in segments) == len(words)
    for segment in segments:
        assert 0.0 <= segment.start_sec <= segment.end_sec <= recording
        if segment.words:
            assert (segment.start_sec, segment.end_sec) == (segment.words[0].start_sec, segment.words[-1].end_sec)


# --- segments of words -----------------------------------------------------------------------------------------


def test_a_segment_begins_and_ends_with_its_words_and_not_with_its_window() -> None:
    words = (Word("Good", 3.25, 3.5), Word("day.", 3.5, 4.0))
    (segment,) = transcript_segments([recognized("Good day.", 10.0, 30.0, words=words)], 60.0)
    assert (segment.start_sec, segment.end_sec) == (13.25, 14.0)


def test_each_sentence_is_a_segment() -> None:
    words = tuple(Word(text, n * 0.5, n * 0.5 + 0.5) for n, text in enumerate(["Yes.", "I", "do.", "Who?"]))
    segments = transcript_segments([recognized("Yes. I do. Who?", 1.0, 2.0, words=words)], 5.0)
    assert [(each.text, each.start_sec, each.end_sec, len(each.words)) for each in segments] == [
        ("Yes.", 1.0, 1.5, 1),
        ("I do.", 1.5, 2.5, 2),
        ("Who?", 2.5, 3.0, 1),
    ]


def test_a_window_of_words_with_pauses_never_becomes_one_long_segment() -> None:
    """Also without any punctuation."""
    words = tuple(Word(f"w{n}", n * 1.0, n * 1.0 + 0.4) for n in range(30))
    text = " ".join(word.text for word in words)
    segments = transcript_segments([recognized(text, 5.0, 30.0, words=words)], 60.0)
    assert len(segments) > 1
    assert all(segment.end_sec - segment.start_sec <= MAX_SEC for segment in segments)
    apart = tuple(Word(f"w{n}", n * 2.0, n * 2.0 + 2.0 - PAUSE_SEC) for n in range(15))
    assert len(transcript_segments([recognized(text, 5.0, 30.0, words=apart)], 60.0)) == 15


TEXTS = st.lists(st.sampled_from(["Hello,", "world.", "Dr.", "yes", "No!", "\u4f60\u597d\u3002", "B."]), min_size=1)
GAPS_SEC = st.floats(0, 2.5)


@st.composite
def phrases(draw: st.DrawFn) -> Phrase:
    """Words with pauses, and their text: with spaces or, as in Chinese, without."""
    at, words = 0.0, []
    for text in draw(TEXTS):
        at += draw(GAPS_SEC)
        words.append(Word(text, at, at + 0.5))
        at += 0.5
    text = draw(st.sampled_from(["", " "])).join(word.text for word in words)
    return Phrase(text, 0.0, at, tuple(words))


@given(st.lists(phrases(), max_size=4))
def test_the_texts_of_segments_make_up_the_display_text_and_lose_nothing(said: list[Phrase]) -> None:
    spoken, at = [], 0.0
    for phrase in said:
        spoken.append(RecognizedWindow(0, at, phrase.end_sec, Recognition((phrase,))))
        at += phrase.end_sec
    transcript = assemble(
        spoken,
        duration_sec=at + 1.0,
        channels=1,
        model="m",
        request_id="r",
        config=Config(),
        metadata=Metadata("scripted", None, "s3://in/a.wav", None, 7),
    )
    assert transcript.text_display == " ".join(segment.text for segment in transcript.segments)
    assert "".join(transcript.text_display.split()) == "".join(word.text for phrase in said for word in phrase.words)
    assert all(segment.text for segment in transcript.segments)


@pytest.mark.parametrize("language", [None, "de"])
def test_a_detected_language_stays_with_each_segment_of_its_window(language: str | None) -> None:
    words = (Word("Ja.", 0.0, 0.5), Word("Nein.", 0.5, 1.0))
    window = RecognizedWindow(0, 0.0, 1.0, Recognition((Phrase("Ja. Nein.", 0.0, 1.0, words),), language=language))
    assert transcript_segments([window], 5.0) == (
        TranscriptSegment(0, 0.0, 0.5, "Ja.", words[:1], language),
        TranscriptSegment(0, 0.5, 1.0, "Nein.", words[1:], language),
    )


def test_flags_stay_with_each_segment_of_their_phrase() -> None:
    words = (Word("Yes.", 0.0, 0.5), Word("No.", 0.5, 1.0))
    doubtful = Phrase("Yes. No.", 0.0, 1.0, words, (Flag.LOW_SPEECH,))
    window = RecognizedWindow(0, 0.0, 2.0, Recognition((doubtful, Phrase("Sure.", 1.0, 2.0))))
    assert [(segment.text, segment.flags) for segment in transcript_segments([window], 5.0)] == [
        ("Yes.", (Flag.LOW_SPEECH,)),
        ("No.", (Flag.LOW_SPEECH,)),
        ("Sure.", ()),
    ]


# --- many words ------------------------------------------------------------------------------------------------


def test_a_long_sentence_is_cut_between_its_words() -> None:
    words = counted(250)
    text = " ".join(word.text for word in words) + "."
    pieces = transcript_segments([recognized(text, 10.0, 63.0, words=words)], 100.0)
    assert max(len(piece.words) for piece in pieces) <= MAX_SENTENCE_WORDS
    assert [word.text for piece in pieces for word in piece.words] == [word.text for word in words]
    assert " ".join(piece.text for piece in pieces) == text
    assert pieces[-1].text.endswith(" w249.")


def test_no_segment_has_more_words_than_the_format_allows_however_fast_they_are() -> None:
    """All of 300 words have the same time, so there is no good place to split."""
    words = tuple(Word(f"w{n}", 0.0, 0.0) for n in range(300))
    pieces = transcript_segments([recognized(" ".join(w.text for w in words), 0.0, 1.0, words=words)], 5.0)
    assert max(len(piece.words) for piece in pieces) <= MAX_WORDS
    assert sum(len(piece.words) for piece in pieces) == 300


def test_a_text_without_spaces_is_cut_where_its_words_meet() -> None:
    """120 words of 0.1 s."""
    words = tuple(Word(character, n * 0.1, n * 0.1 + 0.1) for n, character in enumerate("你好世界" * 30))
    pieces = transcript_segments([recognized("你好世界" * 30 + "。", 0.0, 12.0, words=words)], 12.0)
    assert len(pieces) > 1
    assert "".join(piece.text for piece in pieces) == "你好世界" * 30 + "。"
    assert [piece.text.rstrip("。") for piece in pieces] == ["".join(w.text for w in piece.words) for piece in pieces]


def test_punctuation_before_the_cut_stays_with_its_sentence() -> None:
    words = tuple(Word(f" w{n},", word.start_sec, word.end_sec) for n, word in enumerate(counted(101)))
    pieces = transcript_segments([recognized(" ".join(w.text.strip() for w in words), 0, 30, words=words)], 30)
    assert len(pieces) > 1
    assert all(piece.text.startswith("w") and piece.text.endswith(",") for piece in pieces)


def test_marks_that_belong_to_no_word_stay_in_the_text() -> None:
    words = (Word("Yes.", 0.0, 0.5), Word("No!", 0.5, 1.0))
    pieces = transcript_segments([recognized("\u2013 Yes. \u2013 No! \u266a", 0.0, words=words)], 5.0)
    assert " ".join(piece.text for piece in pieces) == "\u2013 Yes. \u2013 No! \u266a"


def test_words_that_the_text_does_not_hold_stand_for_themselves() -> None:
    pieces = transcript_segments([recognized("One hundred and one.", 0, 30, words=counted(101))], 30)
    assert " ".join(piece.text for piece in pieces) == " ".join(word.text for word in counted(101))


def test_a_long_text_without_words_stays_whole() -> None:
    (segment,) = transcript_segments([recognized("word " * 300, 0, 30)], 30)
    assert segment.text == " ".join(["word"] * 300)


# --- many segments ---------------------------------------------------------------------------------------------


def test_neighbors_of_a_channel_are_joined_when_there_are_too_many_segments() -> None:
    count = MAX_SEGMENTS + 2_000
    spoken = [
        recognized(f"s{n}", n * 2.0, 1.5 if n % 2 else 1.0, channel=n % 2, words=(Word(f"s{n}", 0, 1),))
        for n in range(count)
    ]
    segments = transcript_segments(spoken, count * 2.0)
    assert len(segments) <= MAX_SEGMENTS
    for channel in (0, 1):
        own = [segment for segment in segments if segment.channel == channel]
        assert " ".join(segment.text for segment in own) == " ".join(f"s{n}" for n in range(channel, count, 2))
        assert all(first.end_sec <= second.start_sec for first, second in pairwise(own))
    assert all(len(segment.words) <= MAX_WORDS for segment in segments)
    assert [segment.start_sec for segment in segments] == sorted(segment.start_sec for segment in segments)


def test_only_segments_of_one_language_and_with_the_same_doubts_are_joined() -> None:
    count = MAX_SEGMENTS + 3_000
    kinds = [("en", ()), ("en", (Flag.NO_SPEECH,)), ("de", ())]
    spoken = []
    for n in range(count):
        language, flags = kinds[n * 3 // count]
        phrase = Phrase(f"s{n}", 0.0, 1.0, flags=flags)
        spoken.append(RecognizedWindow(0, n * 1.2, 1.0, Recognition((phrase,), language=language)))
    segments = transcript_segments(spoken, count * 1.2)
    assert len(segments) == 3
    assert [(segment.language, segment.flags) for segment in segments] == kinds


def test_segments_that_would_have_too_many_words_together_are_left_apart() -> None:
    words = counted(MAX_WORDS, sec=0.1)[:MAX_SENTENCE_WORDS]
    assert 3 * len(words) > MAX_WORDS
    text = " ".join(word.text for word in words)
    spoken = [recognized(text, n * 7.0, 6.0, words=words) for n in range(MAX_SEGMENTS + 1)]
    segments = transcript_segments(spoken, 7.0 * len(spoken))
    assert {len(segment.words) for segment in segments} == {2 * len(words), len(words)}


def test_up_to_the_limit_nothing_is_joined() -> None:
    spoken = [recognized("a", n * 1.0, 1.0) for n in range(MAX_SEGMENTS)]
    assert len(transcript_segments(spoken, 1.0 * MAX_SEGMENTS)) == MAX_SEGMENTS
