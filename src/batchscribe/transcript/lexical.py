"""The lexical form of a text: lower case, without punctuation."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"


def lexical(text: str) -> str:
    """Words of any script, one space apart. Apostrophes stay inside words, as in "don't", written plainly."""
    spaced = "".join(map(_lexical_character, text.lower()))
    return " ".join(filter(None, (word.strip("'") for word in spaced.split())))


@lru_cache(maxsize=4096)
def _lexical_character(character: str) -> str:
    if character in APOSTROPHES:
        return "'"
    return " " if unicodedata.category(character).startswith("P") else character
