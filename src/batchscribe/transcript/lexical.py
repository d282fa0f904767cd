"""The lexical form of a text: lower case, without punctuation."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"


def lexical(text: str) -> str:
    """Return lower-case words separated by one space. Apostrophes inside words, as in "don't", stay, as plain ones."""
    spaced = "".join(map(_lexical_character, text.lower()))
    return " ".join(filter(None, (word.strip("'") for word in spaced.split())))


@lru_cache(maxsize=4096)
def _lexical_character(character: str) -> str:
    if character in APOSTROPHES:
        return "'"
    return " " if unicodedata.category(character).startswith("P") else character
