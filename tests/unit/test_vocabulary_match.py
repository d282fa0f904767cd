"""Where a phrase of a vocabulary may have been said: words that look or sound like it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchscribe.speech.vocabulary_match import MOST_CANDIDATES, find_candidates


def replaced(text: str, *phrases: str, space: str = " ") -> list[str]:
    """Return the text with each candidate; its words are those between spaces, or the characters."""
    words = [f" {word}" for word in text.split()] if space else list(text)
    found = find_candidates(words, phrases)
    return ["".join((*words[: each.start], each.text, *words[each.end :])).strip() for each in found]


@pytest.mark.parametrize(
    ("text", "phrase", "expected"),
    [
        ("Tom apologized, Whitmore.", "Whittemore", "Tom apologized, Whittemore."),
        ("nor is Kilter's manner", "Quilter", "nor is Quilter's manner"),
        ("déclaration de l'usok, comité", "USOC", "déclaration de l'USOC, comité"),
        ("before the wood cutters came", "woodcutters", "before the woodcutters came"),
        ("Wood cutters came", "woodcutters", "Woodcutters came"),
        ("it was \u201cMacDonalds\u201d again", "McDonald's", "it was \u201cMcDonald's\u201d again"),
        ("at O'Shonessy's pub", "O'Shaughnessy", "at O'Shaughnessy's pub"),
        ("from San Sebastien, Spain", "San Sebastián", "from San Sebastián, Spain"),
        ("we use postgres QL here", "PostgreSQL", "we use PostgreSQL here"),
        ("an den Ufern von Kovloom fahren", "Kowloon", "an den Ufern von Kowloon fahren"),
        ("я живу в Маскве.", "Москва", "я живу в Москва."),
    ],
)
def test_words_that_resemble_a_phrase_may_be_the_phrase(text: str, phrase: str, expected: str) -> None:
    assert expected in replaced(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase", "expected"),
    [
        ("这是东教塔", "东京塔", "这是东京塔"),
        ("東京スカイ通りです", "東京スカイツリー", "東京スカイツリーです"),
    ],
)
def test_scripts_without_spaces_are_compared_by_sound(text: str, phrase: str, expected: str) -> None:
    assert expected in replaced(text, phrase, space="")


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Quilter is here", "Quilter"),
        ("Quilter's is here", "Quilter"),
        ("the AI said so", "ai"),
        ("The Woodcutters came", "woodcutters"),
        ("it costs 737 euros", "747 million"),
        ("the hat is on", "cat"),
        ("nothing like it", "Carpanedo"),
        ("...", "a"),
        ("", "anything"),
        ("one two", "\u0301"),
    ],
)
def test_a_text_has_no_candidate_if_the_phrase_is_there_or_too_short_or_different(text: str, phrase: str) -> None:
    assert replaced(text, phrase) == []


def test_a_short_phrase_is_found_by_the_same_letters() -> None:
    assert replaced("my ki works", "KI") == ["my KI works"]


def test_each_of_100_phrases_counts_and_the_most_similar_ones_are_returned() -> None:
    phrases = tuple(f"Xanthippe{number:02} Quarz" for number in range(99))
    assert replaced("said Whitmore.", *phrases, "Whittemore") == ["said Whittemore."]
    found = find_candidates([" Xanthippe00", " Quarts", " Whitmore"] * 5, (*phrases, "Whittemore"))
    assert len(found) == MOST_CANDIDATES
    assert [each.similarity for each in found] == sorted((each.similarity for each in found), reverse=True)


def test_a_short_phrase_with_many_places_does_not_crowd_out_a_name() -> None:
    words = [*[" it", " and"] * 12, " Whitmore."]
    found = [each.phrase for each in find_candidates(words, ("IT", "Whittemore"))]
    assert found == ["IT"] * (MOST_CANDIDATES - 1) + ["Whittemore"]


@settings(deadline=None)  # the first call loads the tables of transliteration
@given(st.lists(st.text(max_size=12), max_size=30), st.lists(st.text(max_size=30), max_size=10))
def test_any_text_and_any_phrases_give_candidates_that_do_not_overlap(words: list[str], phrases: list[str]) -> None:
    found = find_candidates(words, tuple(phrases))
    assert all(0 <= each.start < each.end <= len(words) and 0 < each.similarity <= 1 for each in found)
    for phrase in phrases:
        own = [each for each in found if each.phrase == phrase]
        assert not any(one.overlaps(other) for at, one in enumerate(own) for other in own[:at])
