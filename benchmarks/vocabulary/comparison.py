"""Recordings with and without a vocabulary: words found, words invented, and word error rates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.speech.recordings import Recording
from benchmarks.speech.scoring import count_wrong
from benchmarks.vocabulary.rare_words import words_of

Texts = Mapping[Recording, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Counts of some recordings, each without and with the vocabulary."""

    name: str
    said: int  #: occurrences of the rare words in the references
    found: tuple[int, int]
    invented: tuple[int, int]  #: occurrences of any phrase beyond those in the references
    words: int  #: in recordings without any rare word
    wrong: tuple[int, int]  #: in the same
    all_words: int
    all_wrong: tuple[int, int]

    @property
    def recalls(self) -> tuple[float, float]:
        return self.found[0] / self.said, self.found[1] / self.said

    @property
    def error_rates(self) -> tuple[float, float]:
        """Of recordings without any rare word."""
        return self.wrong[0] / self.words, self.wrong[1] / self.words

    @property
    def all_error_rates(self) -> tuple[float, float]:
        return self.all_wrong[0] / self.all_words, self.all_wrong[1] / self.all_words


def is_for_tuning(recording: Recording) -> bool:
    """Return whether thresholds may be chosen on the recording; all that have the same original are in one half."""
    return hashlib.sha256(recording.group.encode()).digest()[0] % 2 == 0


def compare(
    name: str, recordings: Sequence[Recording], rare: Sequence[str], phrases: Sequence[str], plain: Texts, given: Texts
) -> Comparison:
    """`rare` are the words that are counted; `phrases` is the whole vocabulary, including `rare`."""
    said = found_plain = found_given = invented_plain = invented_given = 0
    for each in recordings:
        for phrase in phrases:
            spoken, *counts = (_count(phrase, text) for text in (each.text, plain[each], given[each]))
            invented_plain += max(0, counts[0] - spoken)
            invented_given += max(0, counts[1] - spoken)
            if phrase in rare:
                said += spoken
                found_plain += min(spoken, counts[0])
                found_given += min(spoken, counts[1])
    others = [each for each in recordings if not any(_count(word, each.text) for word in rare)]
    wrong, words = _wrong(others, plain, given)
    all_wrong, all_words = _wrong(recordings, plain, given)
    return Comparison(
        name,
        said,
        (found_plain, found_given),
        (invented_plain, invented_given),
        words,
        wrong,
        all_words,
        all_wrong,
    )


def _wrong(recordings: Iterable[Recording], plain: Texts, given: Texts) -> tuple[tuple[int, int], int]:
    scores = [
        (count_wrong(each.text, plain[each], each.language), count_wrong(each.text, given[each], each.language))
        for each in recordings
    ]
    return (sum(one[0] for one, _ in scores), sum(other[0] for _, other in scores)), sum(one[1] for one, _ in scores)


def _count(phrase: str, text: str) -> int:
    """Return how often the phrase occurs, as adjacent words."""
    wanted, words = words_of(phrase), words_of(text)
    return sum(words[at : at + len(wanted)] == wanted for at in range(len(words) - len(wanted) + 1)) if wanted else 0
