"""Words from the tokens of an ONNX model: a token that begins with a space begins a word."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from batchscribe.speech.languages import primary_subtag
from batchscribe.speech.words import clean_text, tidy_words
from batchscribe.window import Recognition, Word

#: The longest token, in seconds: the longest duration of Parakeet TDT, 4 frames of 80 ms. Models give only the start.
TOKEN_SEC = 0.32
#: Languages that are written without spaces; each token is a word.
UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "yue", "zh"})
#: Characters that Unicode counts as other punctuation (`Po`), but that begin a word or stand alone.
NOT_CLOSING = frozenset("¿¡#@&*/\\§¶†‡•")


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
    texts = [token.text for token in tokens]
    for token, following in zip_longest(tokens, texts[1:]):
        if groups and (_continues_word(token.text, following) if is_spaced else _is_closing(token.text)):
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


def _continues_word(text: str, following: str | None) -> bool:
    """Return whether a token continues a word: it has no space, or it is punctuation that ends the word before.

    The same mark can begin a word, such as a quotation mark or the point of `.5`; then the rest of that word follows.
    """
    if not text.startswith(" "):
        return True
    return _is_closing(text) and (following is None or following.startswith(" ") or _is_closing(following))


def _is_closing(text: str) -> bool:
    """Return whether it consists of punctuation that can follow a word without a space."""
    return bool(text.strip()) and all(
        unicodedata.category(character) in ("Po", "Pe", "Pf") and character not in NOT_CLOSING
        for character in text.strip()
    )


def confidence_of(tokens: Sequence[Token]) -> float | None:
    """Return the mean probability of the tokens, 0.0 to 1.0; None if the model gives none."""
    logs = [token.log_probability for token in tokens if token.log_probability is not None]
    if len(logs) < len(tokens) or not all(log <= 1e-3 for log in logs):  # not probabilities, or NaN
        return None
    return min(1.0, sum(map(math.exp, logs)) / len(logs))
