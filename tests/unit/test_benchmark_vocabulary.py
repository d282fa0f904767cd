"""The calculations of `make bench-vocabulary`."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.speech.recordings import Recording
from benchmarks.vocabulary.comparison import compare, is_for_tuning
from benchmarks.vocabulary.confidence import SaidWord, judge, levels
from benchmarks.vocabulary.rare_words import COUNT, OTHERS, choose_words, fill, words_of


def said(text: str, language: str = "en", name: str = "a.wav") -> Recording:
    return Recording(Path(name), "clean-read", language, text, name)


def test_the_rarest_words_are_chosen_by_the_references_alone() -> None:
    recordings = [
        said("MISTER QUILTER IS THE APOSTLE of the middle classes"),
        said("carpanedo participó en dos carreras", "es"),
        said("客観的実在の判断的知識", "ja"),
    ]
    chosen = choose_words(recordings)
    assert chosen[:2] == ("Carpanedo", "Quilter"), "rarest first, and names have a capital"
    assert set(map(str.lower, chosen)) <= {word for each in recordings for word in words_of(each.text)}
    assert len(chosen) < COUNT, "there are no more of five letters"


def test_the_vocabulary_is_filled_up_to_100_phrases() -> None:
    assert len(set(OTHERS)) == len(OTHERS) >= 100 - COUNT
    filled = fill([f"word{number}" for number in range(COUNT)])
    assert (len(filled), filled[COUNT]) == (100, OTHERS[0])


def test_words_are_compared_in_lower_case_and_without_what_an_apostrophe_adds() -> None:
    assert words_of("Nor is Mister Quilter's manner, l'USOC.") == ["nor", "is", "mister", "quilter", "manner", "usoc"]


def test_words_found_and_invented_and_errors_elsewhere_are_counted() -> None:
    one, two = said("apologized Whittemore to Whittemore"), said("nothing rare is said", name="b.wav")
    plain = {one: "apologized Whitmore to Whittemore", two: "nothing rare is set"}
    given = {one: "apologized Whittemore to Whittemore", two: "nothing Reyr is said"}
    found = compare("all", [one, two], ("Whittemore",), ("Whittemore", "Reyr"), plain, given)
    assert (found.said, found.found, found.invented) == (2, (1, 2), (0, 1))
    assert found.recalls == (0.5, 1.0)
    assert (found.words, found.wrong) == (4, (1, 1)), "only the recording without a rare word counts"
    assert (found.all_words, found.all_wrong) == (8, (2, 1))


def test_recordings_of_one_original_are_in_the_same_half() -> None:
    halves = {is_for_tuning(said("", name=f"{number}.wav")) for number in range(20)}
    assert halves == {True, False}
    assert is_for_tuning(said("", name="a.wav")) is is_for_tuning(said("other", name="a.wav"))


def test_words_are_right_if_the_reference_has_them_in_their_place() -> None:
    words = [
        SaidWord("Mr.", 0.95),
        SaidWord("Kilter", 0.4),
        SaidWord("is,", 0.6),
        SaidWord("is", None),
        SaidWord("-", 0.1),
    ]
    recording = said("Mister Quilter is")
    assert judge(recording, [word for word in words if word.confidence is not None]) == [
        (0.95, True),
        (0.4, False),
        (0.6, True),
    ]
    found = levels([(recording, words), (said("客観", "ja"), [SaidWord("客", 0.9)])])
    assert [(each.least, each.words, each.right) for each in found] == [(0.9, 1, 1), (0.5, 1, 1), (0.0, 1, 0)]


@pytest.mark.parametrize("text", ["", "something"])
def test_every_word_is_wrong_if_nothing_is_said(text: str) -> None:
    assert judge(said(""), [SaidWord(text, 0.9)]) == ([(0.9, False)] if text else [])
