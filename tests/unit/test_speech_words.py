from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from batchscribe.speech.words import clean_text, tidy_words
from batchscribe.window import Word

seconds = st.floats(-5.0, 40.0)
words = st.lists(st.builds(Word, st.text(max_size=4), seconds, seconds))


@given(words, st.floats(0.0, 30.0))
def test_words_are_in_order_inside_their_window_and_never_empty(said: list[Word], duration_sec: float) -> None:
    tidy = tidy_words(said, duration_sec)
    assert all(0.0 <= word.start_sec <= word.end_sec <= duration_sec for word in tidy)
    assert all(first.end_sec <= second.start_sec for first, second in pairwise(tidy))
    assert all(word.text.strip() for word in tidy)


def test_good_words_stay_as_they_are() -> None:
    good = (Word("good", 0.1, 0.4, 0.9), Word("day", 0.4, 0.8))
    assert tidy_words(good, 1.0) == good


def test_a_word_beyond_the_end_of_the_audio_is_pulled_back() -> None:
    assert tidy_words([Word("late", 4.0, 29.9)], 5.0) == (Word("late", 4.0, 5.0),)


def test_invalid_bytes_are_dropped_but_joiners_of_scripts_are_kept() -> None:
    assert clean_text(" \ufffdgo\x1aod\x00\n") == "good"
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"  # with a zero-width non-joiner
    assert clean_text(persian) == persian
