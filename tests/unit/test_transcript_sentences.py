"""Where the words of a phrase are cut into segments."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscribe.transcript.sentences import CLAUSE_SEC, MAX_SEC, MAX_SENTENCE_WORDS, PAUSE_SEC, split_sentences
from batchscribe.window import Word

WORD_SEC = 0.25


def spoken(text: str, pauses_sec: dict[str, float] | None = None, word_sec: float = WORD_SEC) -> list[Word]:
    """Return consecutive words, with pauses after the named ones."""
    words, at = [], 0.0
    for each in text.split():
        words.append(Word(each, at, at + word_sec))
        at += word_sec + (pauses_sec or {}).get(each, 0.0)
    return words


def parts_of(words: list[Word]) -> list[str]:
    return [" ".join(word.text for word in part) for part in split_sentences(words)]


def test_a_pause_ends_a_segment_and_a_shorter_one_does_not() -> None:
    words = spoken("well let me see then", {"well": 0.9 * PAUSE_SEC, "me": 1.01 * PAUSE_SEC})
    assert parts_of(words) == ["well let me", "see then"]


@pytest.mark.parametrize(
    "end", [".", "!", "?", "\u2026", "?!", '."', ".'", ".)", ".\u201d", ".\u00bb", "\u061f", "\u0964", "\u104b"]
)
def test_the_end_of_a_sentence_ends_a_segment(end: str) -> None:
    assert parts_of(spoken(f"one two{end} Three four{end} Five")) == [f"one two{end}", f"Three four{end}", "Five"]


@pytest.mark.parametrize("stop", ["\u3002", "\uff01", "\uff1f", "\uff61", "\u3002\u300d"])
def test_a_full_stop_of_chinese_and_japanese_ends_a_segment(stop: str) -> None:
    assert parts_of(spoken(f"\u4f60 \u597d{stop} \u518d \u89c1{stop}")) == [
        f"\u4f60 \u597d{stop}",
        f"\u518d \u89c1{stop}",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "I saw Dr. Smith and Mrs. Jones today",  # titles
        "It is z.B. Berlin and St. Gallen",
        "J. R. Miller wrote it",  # initials
        "At 5 p.m. he came",  # the sentence continues
        "Wait... what was that",
        "it is 3.5 Percent or www.example.com Then",  # inside a word
        "one, Two; Three: Four",
    ],
)
def test_a_dot_that_ends_no_sentence_ends_no_segment(text: str) -> None:
    assert parts_of(spoken(text)) == [text]


def test_a_pause_behind_an_abbreviation_ends_a_segment_all_the_same() -> None:
    assert parts_of(spoken("that was Dr. Smith said", {"Dr.": 1.01 * PAUSE_SEC})) == ["that was Dr.", "Smith said"]


def test_a_sentence_of_moderate_length_stays_whole() -> None:
    text = " ".join(["word"] * MAX_SENTENCE_WORDS)
    assert parts_of(spoken(text)) == [text]
    few = " ".join(["word"] * 10)
    assert parts_of(spoken(few, word_sec=0.99 * MAX_SEC / 10)) == [few]


def lasting(*texts: str) -> str:
    """Return a sentence that is too long, with these words at one third, in the middle and at two thirds."""
    filled = [f"w{n}" for n in range(48)]
    for text, at in zip(texts, (16, 24, 32), strict=True):
        filled[at] = text
    return " ".join(filled)


@pytest.mark.parametrize(
    ("texts", "pauses_sec", "cut_behind"),
    [
        (("a", "b", "c,"), {}, "c,"),
        (("a\u3001", "b", "c"), {}, "a\u3001"),
        (("a,", "b,", "c,"), {}, "b,"),  # the one nearest to the middle
        (("a", "b", "c"), {"a": 0.3}, "a"),
        (("a", "b", "c"), {"a": 0.3, "b": 0.2, "c": 0.4}, "c"),
        (("a", "b,", "c"), {"c": 0.9 * CLAUSE_SEC}, "b,"),
        (("a", "b,", "c"), {"c": 1.1 * CLAUSE_SEC}, "c"),
    ],
)
def test_a_long_sentence_is_cut_at_its_best_comma_or_pause(
    texts: tuple[str, str, str], pauses_sec: dict[str, float], cut_behind: str
) -> None:
    first, *_ = parts_of(spoken(lasting(*texts), pauses_sec, word_sec=0.2))
    assert first.endswith(f" {cut_behind}")


def test_a_long_sentence_without_any_pause_is_cut_in_the_middle() -> None:
    words = spoken(" ".join(["word"] * 60))
    assert [len(part) for part in split_sentences(words)] == [30, 30]


def test_a_slow_sentence_is_cut_by_its_length_in_seconds() -> None:
    parts = list(split_sentences(spoken(" ".join(["word"] * 30), word_sec=1.0)))
    assert len(parts) > 1
    assert all(part[-1].end_sec - part[0].start_sec <= MAX_SEC for part in parts)


TEXTS = st.one_of(
    st.sampled_from(["yes", "No.", "well,", "Dr.", "what?", "\u597d\u3002", "B."]), st.text(min_size=1, max_size=3)
)


@st.composite
def phrases(draw: st.DrawFn) -> list[Word]:
    words, at = [], 0.0
    for text, pause_sec, word_sec in draw(
        st.lists(st.tuples(TEXTS, st.floats(0, 1.5), st.floats(0, 20)), min_size=1, max_size=120)
    ):
        at += pause_sec
        words.append(Word(text, at, at + word_sec))
        at += word_sec
    return words


@given(phrases())
def test_all_words_are_kept_in_order_in_parts_of_moderate_length_none_of_them_empty(words: list[Word]) -> None:
    parts = list(split_sentences(words))
    assert [word for part in parts for word in part] == words
    assert all(parts)
    for part in parts:
        assert len(part) <= MAX_SENTENCE_WORDS
        assert len(part) == 1 or part[-1].end_sec - part[0].start_sec <= MAX_SEC
        assert all(following.start_sec - word.end_sec < PAUSE_SEC for word, following in pairwise(part))
