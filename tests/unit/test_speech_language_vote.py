"""The language of a recording, by the detected languages of its windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscribe.speech.language_vote import (
    CERTAIN,
    LEAST_SPEECH_SEC,
    MOST_WEIGHT_SEC,
    NEARLY,
    UNLIKELY,
    LanguageVote,
    choose_language,
    speech_sec,
)
from batchscribe.window import SAMPLE_RATE, Recognition, Window

ENOUGH_SEC = MOST_WEIGHT_SEC


def vote_of(*windows: tuple[float, dict[str, float]]) -> LanguageVote:
    """Each with its seconds of speech, and what was detected in it."""
    vote = LanguageVote()
    for sec, detected in windows:
        vote.add(sec, Recognition(detected=tuple(detected.items())))
    return vote


def test_the_language_with_the_most_votes_wins() -> None:
    vote = vote_of((5.0, {"de": 0.6, "nl": 0.4}), (5.0, {"nl": 0.5, "de": 0.4}), (5.0, {"de": 0.9}))
    assert vote.winner("en-US") == "de"


def test_a_window_with_more_speech_has_more_to_say() -> None:
    vote = vote_of((1.0, {"nl": 0.9}), (1.0, {"nl": 0.9}), (MOST_WEIGHT_SEC / 2, {"de": 0.9}))
    assert vote.winner("en-US") == "de"


def test_one_long_window_is_one_opinion() -> None:
    vote = vote_of((30.0, {"nl": 1.0}), (MOST_WEIGHT_SEC, {"de": 1.0}), (MOST_WEIGHT_SEC / 2, {"de": 1.0}))
    assert vote.winner("en-US") == "de"


@pytest.mark.parametrize(("share", "winner"), [(1.01 * NEARLY, "no"), (0.99 * NEARLY, "sv")])
@pytest.mark.parametrize("asked", ["no-NO", "nb-NO"])
def test_the_requested_language_wins_if_it_is_nearly_as_likely(asked: str, share: float, winner: str) -> None:
    assert vote_of((5.0, {"sv": 0.6, "no": 0.6 * share})).winner(asked) == winner


@pytest.mark.parametrize("asked", ["de-AT", "zh-Hant-TW"])
def test_without_a_vote_the_requested_language_wins(asked: str) -> None:
    assert LanguageVote().winner(asked) == asked[:2]
    assert vote_of((5.0, {})).winner(asked) == asked[:2]


@given(st.permutations([("de", 0.4), ("nl", 0.4), ("af", 0.4)]))
def test_of_equals_the_winner_does_not_depend_on_the_order(votes: list[tuple[str, float]]) -> None:
    assert choose_language(dict(votes), "en-US") == "af"


# --- contradictions ------------------------------------------------------------------------------------------------


def test_a_recording_that_is_certainly_in_another_language_contradicts() -> None:
    assert vote_of((ENOUGH_SEC, {"de": 0.97, "en": 0.01})).contradicts("en-US") == "de"


@pytest.mark.parametrize("detected", [{"en": 0.97}, {"en": 0.3, "de": 0.5}, {}])
def test_the_requested_language_does_not_contradict_itself(detected: dict[str, float]) -> None:
    assert vote_of((ENOUGH_SEC, detected)).contradicts("en-GB") is None


@pytest.mark.parametrize(("probability", "told"), [(1.01 * CERTAIN, "de"), (0.99 * CERTAIN, None)])
def test_what_is_not_certain_does_not_contradict(probability: float, told: str | None) -> None:
    assert vote_of((ENOUGH_SEC, {"de": probability})).contradicts("en-US") == told


@pytest.mark.parametrize(("probability", "told"), [(0.99 * UNLIKELY, "de"), (1.01 * UNLIKELY, None)])
def test_a_contradiction_requires_that_the_requested_language_is_unlikely(probability: float, told: str | None) -> None:
    assert vote_of((ENOUGH_SEC, {"de": 1.01 * CERTAIN, "en": probability})).contradicts("en-US") == told


@pytest.mark.parametrize(("sec", "told"), [(0.51 * LEAST_SPEECH_SEC, "de"), (0.49 * LEAST_SPEECH_SEC, None)])
def test_too_little_speech_does_not_contradict(sec: float, told: str | None) -> None:
    """In two windows."""
    assert vote_of((sec, {"de": 1.0}), (sec, {"de": 1.0})).contradicts("en-US") == told


def test_windows_without_detection_have_no_vote() -> None:
    vote = vote_of((0.4 * LEAST_SPEECH_SEC, {"de": 1.0}), *[(ENOUGH_SEC, dict[str, float]())] * 10)
    assert vote.contradicts("en-US") is None, "only the asked ones have speech that counts"
    vote = vote_of((ENOUGH_SEC, {"de": 1.0}), *[(ENOUGH_SEC, dict[str, float]())] * 10)
    assert vote.contradicts("en-US") == "de"


# --- speech --------------------------------------------------------------------------------------------------------


def test_the_speech_of_a_window_is_where_the_voice_detector_found_some() -> None:
    samples = np.zeros(10 * SAMPLE_RATE, np.float32)
    assert speech_sec(Window(0, 3.0, samples, ((0.5, 2.0), (4.0, 9.0)))) == 6.5
    assert speech_sec(Window(0, 3.0, samples, ())) == 0.0
    assert speech_sec(Window(0, 3.0, samples)) == 10.0
