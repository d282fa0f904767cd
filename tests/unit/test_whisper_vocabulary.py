"""How the whisper engine replaces words by phrases. The model is a scripted one, which is sure of one text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from batchscribe.speech.doubts import Doubt
from batchscribe.speech.vocabulary_match import find_candidates
from batchscribe.speech.whisper_listen import Listener, Take
from batchscribe.speech.whisper_model import MAX_TOKENS, Hypothesis, WhisperModel
from batchscribe.speech.whisper_vocabulary import WhisperVocabulary
from batchscribe.window import SAMPLE_RATE, Window, Word
from tests.models.whisper import Line, byte_tokenizer, scripted_whisper, space_word

SAID = "Hello there good people of Whitmore"
RECOGNIZED = (" Hello", " there", " good", " people", " of", " Wittmoor")
WINDOW = Window(0, 0.0, (np.random.default_rng(1).normal(size=10 * SAMPLE_RATE) * 0.1).astype(np.float32))


def sure_after(folder: Path, *phrases: str) -> WhisperModel:
    """Return a model that is sure of `SAID` after a prompt with the phrases: its text depends on the position alone."""
    tokenizer = byte_tokenizer([space_word(word) for word in SAID.split()])
    prompt = tokenizer.encode(" " + ", ".join(phrases)).ids
    line = Line("um " * (len(prompt) + 1) + SAID)
    return WhisperModel(scripted_whisper(folder / "scripted", line), "cpu", "default")


def take_of(model: WhisperModel, texts: tuple[str, ...], confidence: float = 0.5, *doubts: Doubt) -> Take:
    """Return a take with these words, one per half second."""
    words = tuple(Word(text, 0.5 * at, 0.5 * at + 0.4, confidence) for at, text in enumerate(texts))
    text = "".join(texts)
    return Take(WINDOW, Hypothesis(model.tokens_of(text), text.strip(), -0.5, 0.0), words, frozenset(doubts))


def apply(model: WhisperModel, take: Take, *phrases: str) -> Take:
    return WhisperVocabulary(model, Listener(model), phrases, "en").apply(take)


def test_a_phrase_that_the_model_finds_more_probable_replaces_the_words_that_resemble_it(tmp_path: Path) -> None:
    model = sure_after(tmp_path, "Whitmore")
    take = take_of(model, RECOGNIZED)
    found = apply(model, take, "Whitmore", "Carpanedo")
    assert found.words[:-1] == take.words[:-1]
    last = found.words[-1]
    assert (last.text, last.start_sec, last.end_sec) == (" Whitmore", 2.5, 2.9)
    assert last.confidence == pytest.approx(1, abs=0.01)


def test_a_phrase_that_the_model_finds_less_probable_does_not(tmp_path: Path) -> None:
    model = sure_after(tmp_path, "Wittmoor")
    take = take_of(model, (*RECOGNIZED[:-1], " Whitmore"))
    assert find_candidates([word.text for word in take.words], ("Wittmoor",)), "it resembles a word"
    assert apply(model, take, "Wittmoor") == take


def test_words_that_are_sure_only_become_a_phrase_with_the_same_letters(tmp_path: Path) -> None:
    model = sure_after(tmp_path, "Whitmore")
    take = take_of(model, RECOGNIZED, 0.95)
    assert apply(model, take, "Whitmore") == take
    apart = take_of(model, (*RECOGNIZED[:-1], " whit", " more"), 0.95)
    last = apply(model, apart, "Whitmore").words[-1]
    assert (last.text, last.start_sec, last.end_sec) == (" Whitmore", 2.5, 3.4)


def test_the_words_of_a_phrase_share_the_time_by_their_letters(tmp_path: Path) -> None:
    model = sure_after(tmp_path, "good people")
    take = take_of(model, (" Hello", " there", " god", " peple", " of", " Whitmore"))
    words = apply(model, take, "good people").words
    assert [word.text for word in words] == [" Hello", " there", " good", " people", " of", " Whitmore"]
    assert [word.start_sec for word in words[2:4]] == pytest.approx([1.0, 1.36])
    assert [word.end_sec for word in words[2:4]] == pytest.approx([1.36, 1.9])


@pytest.mark.parametrize(
    ("doubt", "is_replaced"), [(Doubt.UNSURE, True), (Doubt.REPEATED, False), (Doubt.SILENT, False)]
)
def test_invented_text_stays_as_it_is(tmp_path: Path, doubt: Doubt, is_replaced: bool) -> None:
    model = sure_after(tmp_path, "Whitmore")
    take = take_of(model, RECOGNIZED, 0.5, doubt)
    assert (apply(model, take, "Whitmore") != take) is is_replaced


def test_a_text_that_does_not_fit_into_the_decoder_with_a_prompt_stays_as_it_is(tmp_path: Path) -> None:
    model = sure_after(tmp_path, "Whitmore")
    filled = take_of(model, (*RECOGNIZED, *(f" {number:04}" for number in range(90))))
    assert len(filled.hypothesis.tokens) > MAX_TOKENS
    assert apply(model, filled, "Whitmore") == filled


def test_words_that_are_not_those_of_the_tokens_stay_as_they_are(tmp_path: Path) -> None:
    model = sure_after(tmp_path, "Whitmore")
    take = take_of(model, RECOGNIZED)
    other = replace(take, words=(*take.words[:-1], Word(" Witmoor", 2.5, 2.9, 0.1)))
    assert apply(model, other, "Whitmore") == other
    assert apply(model, take) == take
