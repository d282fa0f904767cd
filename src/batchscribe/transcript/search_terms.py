"""The terms of a text for search: what different spellings of the same words have in common.

Text and queries are split by the same function, so that all databases find the same. A term has no case, no accents
and no punctuation. In scripts without spaces, and in Korean, where particles are written onto nouns, each character is
a term, so that any part of a text is found as a sequence of terms.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

MAX_TERM_CHARS = 64  #: longer terms are cut, because PostgreSQL limits their length

_ASCII_WORD = re.compile("[a-z0-9]+")
#: Each character is a term: the scripts of `unspaced`, and Hangul.
_SINGLE = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u312f\u31a0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u0e00-\u0eff\u1000-\u109f\uaa60-\uaa7f\u1780-\u17ff"
    "\u3131-\u318e\uac00-\ud7ff]"
)
#: Accents of Latin, Greek and Cyrillic, vowel points of Hebrew and Arabic. Marks of other scripts are vowels.
#: Also invisible characters, such as soft hyphens and joiners.
_ACCENT = re.compile(
    "[\u00ad\u200b-\u200f\u2060\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\ufe00-\ufe0f]"
)
_PLAIN = {"\u0131": "i", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe"}  #: they have no decomposition


@dataclass(frozen=True, slots=True)
class Term:
    """A term, and the characters of the text that it stands for."""

    text: str
    start: int
    end: int


class _Kind(Enum):
    LETTER = auto()  #: or a digit; neighbors are one term
    SINGLE = auto()  #: is a term
    MARK = auto()  #: belongs to the character before it
    GAP = auto()


def split_terms(text: str) -> list[Term]:
    """Return the terms of a text, in order."""
    if text.isascii():
        found = _ASCII_WORD.finditer(text.lower())
        return [Term(match[0][:MAX_TERM_CHARS], match.start(), match.end()) for match in found]
    return list(_collect(text))


def _collect(text: str) -> Iterator[Term]:
    parts: list[str] = []
    start = end = 0
    is_single = False
    for at, character in enumerate(text):
        folded = _fold(character)
        if not folded and parts:
            end = at + 1  # the accent belongs to the term
        for kind, part in folded:
            if parts and kind is not _Kind.MARK and (is_single or kind is not _Kind.LETTER):
                yield _term(parts, start, end)
                parts = []
            if kind is _Kind.GAP or (kind is _Kind.MARK and not parts):
                continue
            if not parts:
                start, is_single = at, kind is _Kind.SINGLE
            parts.append(part)
            end = at + 1
    if parts:
        yield _term(parts, start, end)


def _term(parts: list[str], start: int, end: int) -> Term:
    return Term(unicodedata.normalize("NFC", "".join(parts))[:MAX_TERM_CHARS], start, end)


@lru_cache(maxsize=65_536)
def _fold(character: str) -> tuple[tuple[_Kind, str], ...]:
    """Return what the character contributes to terms; nothing for an accent."""
    if _SINGLE.match(character) and unicodedata.category(character)[0] in "LN":
        return ((_Kind.SINGLE, unicodedata.normalize("NFC", unicodedata.normalize("NFKD", character))),)
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    plain = "".join(_PLAIN.get(each, each) for each in folded if not _ACCENT.match(each))
    return tuple((_kind(each), _digit(each)) for each in plain)


def _kind(character: str) -> _Kind:
    category = unicodedata.category(character)[0]
    if category == "M" or "\u1160" <= character <= "\u11ff":
        return _Kind.MARK
    if "\u1100" <= character <= "\u115f":  # the first letter of a Korean syllable in letters; the others are above
        return _Kind.SINGLE
    if category not in "LN":
        return _Kind.GAP
    return _Kind.SINGLE if _SINGLE.match(character) else _Kind.LETTER


def _digit(character: str) -> str:
    """Return the ASCII digit for a decimal digit of any script, otherwise the character."""
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)
