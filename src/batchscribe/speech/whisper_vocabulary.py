"""A vocabulary for Whisper: phrases replace words that resemble them, if the model finds them more probable.

A prompt with all phrases would make Whisper invent some of them, and 100 phrases do not fit. So a window is recognized
without a prompt. Where its text resembles a phrase, the model computes the probability of both texts for the same
sound, after a prompt with the candidate phrases. Only words that resemble a phrase can change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from batchscribe.speech.doubts import Doubt
from batchscribe.speech.vocabulary_match import Candidate, find_candidates
from batchscribe.speech.whisper_listen import Listener, Take
from batchscribe.speech.whisper_model import MAX_TOKENS, WhisperModel
from batchscribe.window import Word

#: How much a phrase must raise the log probability of the text; 0 if only case, spaces or accents differ. With `base`,
#: a threshold of 0.5 also replaced "matter" by "Mather", and found no more phrases in the tuning half of the corpus.
LEAST_GAIN, LEAST_GAIN_SAME_LETTERS = 1.0, 0.0
#: Words with this confidence are replaced only by a phrase with the same letters, such as `wood cutters`.
SURE = 0.9
#: The longest prompt: half of the decoder's positions, as in OpenAI's Whisper.
MAX_PROMPT_TOKENS = 223
#: The lowest probability of a token in a sum of logarithms, which keeps the sum finite.
LEAST_PROBABILITY = 1e-10


@dataclass(frozen=True, slots=True)
class _Edit:
    """A candidate as tokens: `tokens` would replace those of the text from `start` to before `end`."""

    candidate: Candidate
    start: int
    end: int
    tokens: tuple[int, ...]

    def apply(self, text: Sequence[int]) -> tuple[int, ...]:
        return (*text[: self.start], *self.tokens, *text[self.end :])


@dataclass(frozen=True, slots=True)
class _Scored:
    """An edit, its gain in log probability, and the mean probability of its tokens."""

    edit: _Edit
    gain: float
    confidence: float

    @property
    def is_enough(self) -> bool:
        return self.gain >= (LEAST_GAIN_SAME_LETTERS if self.edit.candidate.has_same_letters else LEAST_GAIN)


@dataclass(frozen=True, slots=True)
class WhisperVocabulary:
    """The phrases of a request. `language` is one of Whisper's codes."""

    model: WhisperModel
    listener: Listener
    phrases: tuple[str, ...]
    language: str

    def apply(self, take: Take) -> Take:
        """Return the take with the phrases that were probably said. Unchanged if the text is mostly invented."""
        if not self.phrases or take.doubts - {Doubt.UNSURE}:
            return take
        candidates = [
            each
            for each in find_candidates([word.text for word in take.words], self.phrases)
            if each.has_same_letters or _confidence(take.words[each.start : each.end]) < SURE
        ]
        edits = self._edits(take, candidates)
        chosen: list[_Scored] = []
        for each in sorted(self._score(take, edits), key=lambda scored: -scored.gain):
            is_free = not any(each.edit.candidate.overlaps(other.edit.candidate) for other in chosen)
            if each.is_enough and is_free:
                chosen.append(each)
        return replace(take, words=tuple(self._words(take, chosen))) if chosen else take

    def _edits(self, take: Take, candidates: Sequence[Candidate]) -> list[_Edit]:
        """Return the candidates as tokens; none if the words of the take do not correspond to its tokens."""
        groups = self.model.split_words(take.hypothesis.tokens, self.language) if candidates else []
        chars = np.cumsum([0, *(len(text) for text, _ in groups)])
        tokens = np.cumsum([0, *(len(group) for _, group in groups)])
        token_at = dict(zip(chars.tolist(), tokens.tolist(), strict=True))
        word_at = np.cumsum([0, *(len(word.text) for word in take.words)]).tolist()
        if "".join(text for text, _ in groups) != "".join(word.text for word in take.words):
            return []
        return [
            _Edit(each, token_at[word_at[each.start]], token_at[word_at[each.end]], self.model.tokens_of(each.text))
            for each in candidates
        ]

    def _score(self, take: Take, edits: Sequence[_Edit]) -> Iterator[_Scored]:
        """Yield the edits that fit into the decoder, with their gains."""
        old = take.hypothesis.tokens
        prompt, edits = self._prompt(old, edits)
        if not edits:
            return
        texts = [old, *(edit.apply(old) for edit in edits)]
        before, *after = self.listener.score(take.window, self.language, prompt, texts)
        for edit, found in zip(edits, after, strict=True):
            said = found[edit.start : edit.start + len(edit.tokens)]
            yield _Scored(edit, _log_probability(found) - _log_probability(before), float(said.mean()))

    def _prompt(self, old: Sequence[int], edits: Sequence[_Edit]) -> tuple[tuple[int, ...], list[_Edit]]:
        """Return the tokens of the prompt, and the edits whose phrases it contains: the first ones that fit."""
        prompt: tuple[int, ...] = ()
        fitting: list[_Edit] = []
        for edit in edits:
            phrases = dict.fromkeys(each.candidate.phrase for each in (*fitting, edit))
            longer = self.model.tokens_of(" " + ", ".join(phrases))
            longest = max(len(each.apply(old)) for each in (*fitting, edit))
            if len(longer) <= MAX_PROMPT_TOKENS and len(longer) + max(longest, len(old)) < MAX_TOKENS:
                prompt, fitting = longer, [*fitting, edit]
        return prompt, fitting

    def _words(self, take: Take, chosen: Sequence[_Scored]) -> Iterator[Word]:
        """Yield the words of the take, with the chosen phrases instead of the words that they replace."""
        at = 0
        for each in sorted(chosen, key=lambda scored: scored.edit.start):
            candidate = each.edit.candidate
            yield from take.words[at : candidate.start]
            old = take.words[candidate.start : candidate.end]
            texts = _with_punctuation(text for text, _ in self.model.split_words(each.edit.tokens, self.language))
            yield from _share_time(texts, old[0].start_sec, old[-1].end_sec, each.confidence)
            at = candidate.end
        yield from take.words[at:]


def _confidence(words: Sequence[Word]) -> float:
    return float(np.mean([word.confidence or 0.0 for word in words]))


def _log_probability(probabilities: NDArray[np.float64]) -> float:
    return float(np.log(np.maximum(probabilities, LEAST_PROBABILITY)).sum())


def _with_punctuation(texts: Iterable[str]) -> list[str]:
    """Attach punctuation to words: to the first word what precedes it, all other to the word before."""
    whole: list[str] = []
    for text in texts:
        if whole and not (any(map(str.isalnum, text)) and any(map(str.isalnum, whole[-1]))):
            whole[-1] += text
        else:
            whole.append(text)
    return whole


def _share_time(texts: Sequence[str], start_sec: float, end_sec: float, confidence: float) -> Iterator[Word]:
    """Yield the words of a phrase. Each gets time in proportion to its number of letters, counted as at least one."""
    ends = np.cumsum([max(1, len(text.strip())) for text in texts])
    bounds = start_sec + (end_sec - start_sec) * np.concatenate(([0], ends)) / ends[-1]
    for text, start, end in zip(texts, bounds[:-1], bounds[1:], strict=True):
        yield Word(text, float(start), float(end), confidence)
