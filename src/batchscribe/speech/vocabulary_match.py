"""Places in a text where a phrase of a vocabulary may have been said: words that look or sound like the phrase."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import jellyfish
import numpy as np
from anyascii import anyascii
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

#: The lowest similarity of letters, and the lowest mean for letters and sound. Both are 1 minus the edit distance per
#: letter. With these, 31 of 32 names that `base` misspells in the corpus were found.
LEAST_LETTERS, LEAST_MEAN = 0.5, 0.6
#: A shorter phrase is found only if all letters are the same, because too many words resemble it.
SHORT_LETTERS = 4
#: Words with twice the letters of a phrase cannot reach `LEAST_LETTERS`.
LONGEST_RATIO = 2
#: The most places in a text. The most similar ones of each phrase are kept.
MOST_CANDIDATES = 8
#: A short word with an apostrophe, such as `l'`, and the English possessive are not part of a phrase.
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
    """Phrases prepared for comparison."""

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
    """Return the letters and digits in lower-case ASCII. Chinese, Japanese and other scripts are transliterated."""
    return "".join(filter(str.isalnum, anyascii(text).lower()))


def sound_of(letters: str) -> str:
    """Return the consonants as they sound in English; without any, as in numbers, the input."""
    return jellyfish.metaphone(letters) or letters


def find_candidates(words: Sequence[str], phrases: tuple[str, ...]) -> list[Candidate]:
    """Return the most similar places, in descending order. `words` have the space before them.

    If there are too many, every phrase has its best one before any has a second one: "it" occurs often, and must not
    crowd out a name because "IT" is a phrase.

    Where a phrase is already written, there are none. A place may have candidates of several phrases, but a phrase has
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
    return sorted(_first_of_each_phrase(found)[:MOST_CANDIDATES], key=lambda each: -each.similarity)


def _first_of_each_phrase(found: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates in another order: the first one of each phrase, then the second one of each."""
    counted: Counter[str] = Counter()
    turns: list[tuple[int, Candidate]] = []
    for each in found:
        turns.append((counted[each.phrase], each))
        counted[each.phrase] += 1
    return [each for _, each in sorted(turns, key=lambda turn: turn[0])]


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
    """Return the text before the words, the words, and the text after them, for a replacement by the phrase."""
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
    """Return the phrase as it would replace the words of `text`. A phrase in lower case may get their capital."""
    before, words, after = _split(text, phrase)
    if phrase.islower() and words.lower() == phrase:
        return text
    if phrase.islower() and words[:1].isupper():
        phrase = phrase[:1].upper() + phrase[1:]
    return f"{before}{phrase}{after}"
