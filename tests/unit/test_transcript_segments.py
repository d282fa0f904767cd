"""Times, order and limits of a transcript's segments."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscribe.segment import Hearing, Word
from batchscribe.transcript.segments import MAX_SEGMENTS, MAX_WORDS, Heard, TranscriptSegment, transcript_segments


def heard(text: str, start: float, duration: float = 1.0, *, words: tuple[Word, ...] = (), channel: int = 0) -> Heard:
    return Heard(channel, start, duration, Hearing(text, words))


def counted(count: int, *, sec: float = 0.25) -> tuple[Word, ...]:
    """`count` words of `sec` seconds each: "w0", "w1"..."""
    return tuple(Word(f"w{n}", n * sec, (n + 1) * sec) for n in range(count))


def test_segments_are_in_order_of_time_then_channel_whatever_order_they_come_in() -> None:
    spoken = [heard("c", 2.0), heard("b", 0.0, channel=1), heard("a", 0.0, channel=0)]
    assert [segment.text for segment in transcript_segments(spoken, 5.0)] == ["a", "b", "c"]
    assert transcript_segments(reversed(spoken), 5.0) == transcript_segments(spoken, 5.0)


def test_a_segment_in_which_nothing_was_understood_is_left_out() -> None:
    assert transcript_segments([heard(" ", 0.0), heard("", 1.0)], 5.0) == ()


def test_times_lie_within_the_recording_and_are_whole_milliseconds() -> None:
    (segment,) = transcript_segments([heard("a b", 1.0004, 9.0, words=(Word("a", -1, 0.1), Word("b", 8, 9)))], 2.5)
    assert (segment.start_sec, segment.end_sec) == (1.0, 2.5)
    assert [(word.start_sec, word.end_sec) for word in segment.words] == [(1.0, 1.1), (2.5, 2.5)]


def test_sums_of_floats_leave_no_tail() -> None:
    (segment,) = transcript_segments([heard("a", 27.1, 0.3)], 60.0)
    assert segment.end_sec == 27.4
    assert type(segment.end_sec) is float


def test_times_that_an_engine_gives_as_numpy_numbers_become_plain_ones() -> None:
    words = (Word("a", float(np.float32(0.1)), np.float32(0.2)),)  # type: ignore[arg-type]  # engines do it
    (segment,) = transcript_segments([heard("a", 1.0, words=words)], 5.0)
    assert [(type(word.end_sec), word.end_sec) for word in segment.words] == [(float, 1.2)]


SPANS = st.tuples(st.floats(-1, 40), st.floats(-1, 40))


@given(st.lists(SPANS, max_size=20), st.floats(0, 50), st.floats(0, 30), st.floats(0.001, 60))
def test_words_follow_one_another_inside_their_segment(
    spans: list[tuple[float, float]], start: float, duration: float, recording: float
) -> None:
    words = tuple(Word("w", *span) for span in spans)
    for segment in transcript_segments([heard("w " * 20, start, duration, words=words)], recording):
        times = [time for word in segment.words for time in (word.start_sec, word.end_sec)]
        edges = [0.0, segment.start_sec, *times, segment.end_sec, round(recording, 3)]
        assert edges == sorted(edges)


# --- many words ------------------------------------------------------------------------------------------------


def test_a_long_segment_is_cut_between_words_with_the_words_own_times() -> None:
    words = counted(250)
    text = " ".join(word.text for word in words) + "."
    pieces = transcript_segments([heard(text, 10.0, 63.0, words=words)], 100.0)
    assert [len(piece.words) for piece in pieces] == [MAX_WORDS, MAX_WORDS, 50]
    assert [(piece.start_sec, piece.end_sec) for piece in pieces] == [(10.0, 35.0), (35.0, 60.0), (60.0, 73.0)]
    assert " ".join(piece.text for piece in pieces) == text
    assert pieces[2].text.startswith("w200 ")


def test_a_text_without_spaces_is_cut_where_its_words_meet() -> None:
    words = tuple(Word(character, n * 0.1, n * 0.1 + 0.1) for n, character in enumerate("你好世界" * 30))
    first, second = transcript_segments([heard("你好世界" * 30 + "。", 0.0, 12.0, words=words)], 12.0)
    assert first.text == "你好世界" * 25
    assert second.text == "你好世界" * 5 + "。"


def test_punctuation_before_the_cut_stays_with_its_sentence() -> None:
    words = tuple(Word(f" w{n},", word.start_sec, word.end_sec) for n, word in enumerate(counted(101)))
    first, second = transcript_segments([heard(" ".join(w.text.strip() for w in words), 0, 30, words=words)], 30)
    assert first.text.endswith("w99,")
    assert second.text == "w100,"


def test_words_that_the_text_does_not_hold_stand_for_themselves() -> None:
    first, second = transcript_segments([heard("One hundred and one.", 0, 30, words=counted(101))], 30)
    assert first.text.startswith("w0 w1 ")
    assert second.text == "w100"


def test_a_long_text_without_words_stays_whole() -> None:
    (segment,) = transcript_segments([heard("word " * 300, 0, 30)], 30)
    assert segment.text == " ".join(["word"] * 300)


# --- many segments ---------------------------------------------------------------------------------------------


def test_neighbours_of_a_channel_are_joined_when_there_are_too_many_segments() -> None:
    count = MAX_SEGMENTS + 2_000
    spoken = [
        heard(f"s{n}", n * 2.0, 1.5 if n % 2 else 1.0, channel=n % 2, words=(Word(f"s{n}", 0, 1),))
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


def test_segments_that_would_have_too_many_words_together_are_left_apart() -> None:
    words = counted(60, sec=0.1)
    text = " ".join(word.text for word in words)
    spoken = [heard(text, n * 7.0, 6.0, words=words) for n in range(MAX_SEGMENTS + 1)]
    assert len(transcript_segments(spoken, 7.0 * len(spoken))) == MAX_SEGMENTS + 1


def test_up_to_the_limit_nothing_is_joined() -> None:
    spoken = [heard("a", n * 1.0, 1.0) for n in range(MAX_SEGMENTS)]
    assert len(transcript_segments(spoken, 1.0 * MAX_SEGMENTS)) == MAX_SEGMENTS


@pytest.mark.parametrize("language", [None, "de"])
def test_a_detected_language_stays_with_its_segment(language: str | None) -> None:
    (segment,) = transcript_segments([Heard(0, 0.0, 1.0, Hearing("ja", (), language))], 5.0)
    assert segment == TranscriptSegment(0, 0.0, 1.0, "ja", (), language)
