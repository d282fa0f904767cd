"""Words from the tokens of an ONNX model: a token that begins with a space begins a word."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from batchscribe.speech.languages import primary_subtag
from batchscribe.speech.words import clean_text, tidy_words
from batchscribe.window import Recognition, Word

#: The longest token, in seconds: the longest duration of Parakeet TDT, 4 frames of 80 ms. Models give only the start.
TOKEN_SEC = 0.32
#: Languages that are written without spaces; each token is a word.
UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "yue", "zh"})


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the vocabulary, with a space at the start of a word. `start_sec` counts from the window's start.

    `log_probability` is natural; None if the model gives none.
    """

    text: str
    start_sec: float
    log_probability: float | None = None


def build_recognition(tokens: Sequence[Token], language: str, duration_sec: float) -> Recognition:
    """Group the tokens of a window into words. `language` is a tag."""
    is_spaced = primary_subtag(language) not in UNSPACED
    words = tidy_words(_words(tokens, is_spaced, duration_sec), duration_sec)
    return Recognition.of((" " if is_spaced else "").join(word.text for word in words), words, duration_sec)


def _words(tokens: Sequence[Token], is_spaced: bool, duration_sec: float) -> Iterator[Word]:
    groups: list[list[Token]] = []
    for token in tokens:
        if groups and (_is_joined(token.text) if is_spaced else _is_punctuation(token.text)):
            groups[-1].append(token)
        elif clean_text(token.text) or token.text.startswith(" "):
            groups.append([token])
    ends_sec = [group[0].start_sec for group in groups[1:]] + [duration_sec]
    for group, limit_sec in zip(groups, ends_sec, strict=False):
        yield Word(
            "".join(token.text for token in group).replace(" ", ""),
            group[0].start_sec,
            max(group[0].start_sec, min(group[-1].start_sec + TOKEN_SEC, limit_sec)),
            confidence_of(group),
        )


def _is_joined(text: str) -> bool:
    """Return whether a token continues a word: it has no space, or it is punctuation, as Whisper's words have it."""
    return not text.startswith(" ") or _is_punctuation(text)


def _is_punctuation(text: str) -> bool:
    """Return whether it is punctuation that follows a word. Opening marks, such as a bracket, begin one."""
    return bool(text.strip()) and all(
        unicodedata.category(character) in ("Po", "Pe", "Pf", "Pd") and character not in "¿¡"
        for character in text.strip()
    )


def confidence_of(tokens: Sequence[Token]) -> float | None:
    """Return the mean probability of the tokens, 0.0 to 1.0; None if the model gives none."""
    logs = [token.log_probability for token in tokens if token.log_probability is not None]
    if len(logs) < len(tokens) or any(log > 1e-3 for log in logs):  # not probabilities
        return None
    return min(1.0, sum(map(math.exp, logs)) / len(logs))
