"""Which stretches of speech a text omits."""

from __future__ import annotations

import numpy as np
import pytest

from batchscribe.speech.whisper_listen import Take
from batchscribe.speech.whisper_model import Hypothesis
from batchscribe.speech.whisper_retry import PAD_SEC, missed_stretches
from batchscribe.window import SAMPLE_RATE, Window, Word

HYPOTHESIS = Hypothesis(tokens=(), text="Yes.", avg_logprob=-0.1, no_speech=0.0)


def take(speech: tuple[tuple[float, float], ...], *said_at: float) -> Take:
    """Return ten seconds of loud noise with a likely word at each of these times."""
    samples = np.random.default_rng(0).normal(0, 0.1, 10 * SAMPLE_RATE).astype(np.float32)
    words = tuple(Word(" Yes.", sec - 0.1, sec + 0.1, 0.9) for sec in said_at)
    return Take(Window(0, 0.0, samples, speech), HYPOTHESIS, words, frozenset())


def test_speech_with_words_in_it_is_not_missed() -> None:
    assert missed_stretches(take(((0.0, 4.0), (5.0, 9.0)), 1.0, 6.0)) == []


def test_neighbors_without_a_word_are_one_stretch_with_padding() -> None:
    [found] = missed_stretches(take(((0.0, 2.0), (4.0, 5.0), (5.5, 6.5)), 1.0))
    assert found == pytest.approx((4.0 - PAD_SEC, 6.5 + PAD_SEC))


def test_the_padding_does_not_reach_into_the_speech_beside_it() -> None:
    """Otherwise its words would occur twice."""
    [found] = missed_stretches(take(((0.0, 2.0), (2.1, 5.0), (5.2, 8.0)), 1.0, 6.0))
    assert found == pytest.approx((2.0, 5.2))


def test_a_short_stretch_is_let_go() -> None:
    assert missed_stretches(take(((0.0, 2.0), (3.0, 4.0)), 1.0)) == []
