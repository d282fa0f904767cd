"""Places in a text where a phrase of a vocabulary may have been said: words that look or sound like the phrase."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import jellyfish
import numpy as np
from anyascii import anyascii
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

#: The least similarity of the letters, and the least mean of letters and sound. Both are 1 minus the edit distance per
#: letter. With these, 31 of 32 names that `base` misspells in the corpus were found.
LEAST_LETTERS, LEAST_MEAN = 0.5, 0.6
#: A shorter phrase is only found if all letters are the same: too many words resemble it.
SHORT_LETTERS = 4
#: Words that have twice the letters of a phrase cannot have `LEAST_LETTERS`.
LONGEST_RATIO = 2
#: The most places in a text, the most similar ones.
MOST_CANDIDATES = 8
#: A short word before an apostrophe, as in `l'`, and the English possessive: they are not part of a phrase.
_ELISION, _POSSESSIVE = r"(?:\w{1,2}['\u2019])?", r"(?:['\u2019]s)?"


@dataclass(frozen=True, slots=True)
class Candidate:
    """`text` may be what was said instead of the words from `start` to before `end`.

    It is the phrase, with the space and the punctuation around those words.
    """

    start: int
    end: int
    phrase: str
    text: str
    similarity: float  #: 0 to 1

    @property
    def has_same_letters(self) -> bool:
        return self.similarity == 1.0

    def overlaps(self, other: Candidate) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class _Span:
    """Adjacent words. `core` has their letters."""

    start: int
    end: int
    text: str
    letters: str


@dataclass(frozen=True, slots=True)
class ComparablePhrases:
    """Phrases in a form that can be compared."""

    phrases: tuple[str, ...]
    letters: tuple[str, ...]
    sounds: tuple[str, ...]

    @classmethod
    def of(cls, phrases: tuple[str, ...]) -> ComparablePhrases:
        """Return the phrases that have letters, each once."""
        found = {phrase: letters for phrase in phrases if (letters := letters_of(phrase))}
        return cls(tuple(found), tuple(found.values()), tuple(map(sound_of, found.values())))


@lru_cache(maxsize=16)
def vocabulary_of(phrases: tuple[str, ...]) -> ComparablePhrases:
    return ComparablePhrases.of(phrases)


def letters_of(text: str) -> str:
    """Return the letters and digits in ASCII, lower case. Chinese, Japanese and others become their sounds."""
    return "".join(filter(str.isalnum, anyascii(text).lower()))


def sound_of(letters: str) -> str:
    """Return the consonants as they sound in English; the letters if there are none, as in numbers."""
    return jellyfish.metaphone(letters) or letters


def find_candidates(words: Sequence[str], phrases: tuple[str, ...]) -> list[Candidate]:
    """Return the most similar places, in descending order. `words` have the space before them.

    Places where a phrase is already written have none. A place may have candidates of several phrases, but a phrase has
    no two that overlap.
    """
    vocabulary = vocabulary_of(phrases)
    spans = list(_spans(words, max(map(len, vocabulary.letters), default=0)))
    if not spans:
        return []
    ranked = sorted(_compare(spans, vocabulary), key=lambda each: -each.similarity)
    written = [each for each in ranked if each.text == "".join(words[each.start : each.end])]
    found: list[Candidate] = []
    for each in ranked:
        rivals = [*written, *(other for other in found if other.phrase == each.phrase)]
        if not any(each.overlaps(other) for other in rivals):
            found.append(each)
    return found[:MOST_CANDIDATES]


def _spans(words: Sequence[str], longest: int) -> Iterator[_Span]:
    """Yield all spans that may be as long as the longest phrase."""
    own = [letters_of(word) for word in words]
    for start in range(len(words)):
        length = 0
        for end in range(start + 1, len(words) + 1):
            length += len(own[end - 1])
            if length > LONGEST_RATIO * longest + SHORT_LETTERS:
                break
            if own[start] and own[end - 1]:
                text = "".join(words[start:end])
                yield _Span(start, end, text, letters_of(_split(text)[1]))


def _split(text: str, phrase: str = "") -> tuple[str, str, str]:
    """Return what comes before the words, the words, and what comes after them, if they are to become the phrase."""
    elision = "" if re.match(r"\w{1,2}['\u2019]", phrase) else _ELISION
    possessive = "" if re.search(r"['\u2019]s$", phrase) else _POSSESSIVE
    found = re.fullmatch(rf"(\W*{elision})(.*?)({possessive}\W*)", text, re.DOTALL)
    return (found[1], found[2], found[3]) if found else ("", text, "")


def _compare(spans: Sequence[_Span], vocabulary: ComparablePhrases) -> Iterator[Candidate]:
    sounds = [sound_of(span.letters) for span in spans]
    scorer = Levenshtein.normalized_similarity
    by_letters = cdist([span.letters for span in spans], vocabulary.letters, scorer=scorer)
    by_sound = cdist(sounds, vocabulary.sounds, scorer=scorer)
    mean = (by_letters + by_sound) / 2
    for at, number in zip(*np.nonzero((by_letters >= LEAST_LETTERS) & (mean >= LEAST_MEAN)), strict=True):
        similarity = float(mean[at, number])
        if similarity == 1.0 or len(vocabulary.letters[number]) >= SHORT_LETTERS:
            span, phrase = spans[at], vocabulary.phrases[number]
            yield Candidate(span.start, span.end, phrase, _written(phrase, span.text), similarity)


def _written(phrase: str, text: str) -> str:
    """Return the phrase as it stands instead of the words of `text`. If it is in lower case, any case is right."""
    before, words, after = _split(text, phrase)
    if phrase.islower() and words.lower() == phrase:
        return text
    if phrase.islower() and words[:1].isupper():
        phrase = phrase[:1].upper() + phrase[1:]
    return f"{before}{phrase}{after}"
