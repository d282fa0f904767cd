"""Which texts are longer than a person can say in the time."""

from __future__ import annotations

import numpy as np
import pytest

from batchscribe.speech.doubts import Doubt, find_doubts, plain_words
from batchscribe.speech.whisper_model import MAX_TOKENS, Hypothesis
from batchscribe.window import SAMPLE_RATE, Window, Word

#: With the seconds that reading aloud takes; in such scripts the engine's words are single letters.
UNSPACED = {
    "Thai": ("มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม", 7.0),
    "Japanese": ("すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。", 5.0),
}


def doubts(text: str, pieces: list[str], duration_sec: float) -> frozenset[Doubt]:
    each_sec = duration_sec / len(pieces)
    words = [Word(piece, at * each_sec, (at + 1) * each_sec, 0.9) for at, piece in enumerate(pieces)]
    window = Window(0, 0.0, np.zeros(int(duration_sec * SAMPLE_RATE), np.float32), ((0.0, duration_sec),))
    return find_doubts(Hypothesis(tokens=(), text=text, avg_logprob=-0.2, no_speech=0.0), words, window)


@pytest.mark.parametrize("language", UNSPACED)
def test_a_script_without_spaces_has_no_more_words_than_people_say(language: str) -> None:
    text, duration_sec = UNSPACED[language]
    assert doubts(text, list(text), duration_sec) == frozenset()


@pytest.mark.parametrize("language", UNSPACED)
def test_too_many_letters_are_too_fast_in_any_script(language: str) -> None:
    text, duration_sec = UNSPACED[language]
    assert doubts(text, list(text), duration_sec / 6) == {Doubt.TOO_FAST}


def test_too_many_words_are_too_fast() -> None:
    said = [f"n{number}" for number in range(30)]
    assert doubts(" ".join(said), said, 5.0) == frozenset()
    assert doubts(" ".join(said), said, 3.0) == {Doubt.TOO_FAST}


def test_marks_on_letters_do_not_cut_words_into_pieces() -> None:
    assert plain_words("नमस्ते, दुनिया! Don't stop.") == ["नमस्ते", "दुनिया", "don", "t", "stop"]


@pytest.mark.parametrize(("n_tokens", "expected"), [(MAX_TOKENS - 1, frozenset()), (MAX_TOKENS, {Doubt.CUT})])
def test_a_text_as_long_as_the_model_can_write_may_be_cut(n_tokens: int, expected: frozenset[Doubt]) -> None:
    hypothesis = Hypothesis(tokens=(1,) * n_tokens, text="So it goes.", avg_logprob=-0.2, no_speech=0.0)
    window = Window(0, 0.0, np.zeros(2 * SAMPLE_RATE, np.float32), ((0.0, 2.0),))
    assert find_doubts(hypothesis, [Word("So", 0.0, 1.0, 0.9)], window) == expected
