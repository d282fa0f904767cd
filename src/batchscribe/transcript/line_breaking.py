"""Positions where a line may be broken, in any script, and the width of text on a screen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from batchscribe.transcript.unspaced import is_unspaced, word_starts

MAX_COLUMNS = 42  #: per line; an East Asian wide character takes two columns, a combining mark none
PHRASE_COLUMNS = 20  #: in scripts without spaces, wider words are divided

#: A line starts neither with these nor with closing brackets: stops, small kana, signs of the preceding syllable, and
#: Chinese particles and measure words (de, le, zhe, ma, ne, ba, men, ge, zhong).
_NEVER_FIRST = frozenset(
    ".,;:!?%\u2026\u2025\u3001\u3002\uff0c\uff0e\uff01\uff1f\uff1b\uff1a\uff05\u30fb\u30fc\uff70\u301c\uff5e"
    "\u3005\u303b\u309d\u309e\u30fd\u30fe\u060c\u061b\u061f\u0964\u0965\u104a\u104b\u17d4\u17d5\u17d6"
    "\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087\u308e\u3095\u3096"
    "\u30a1\u30a3\u30a5\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7\u30ee\u30f5\u30f6\uff67\uff68\uff69\uff6a\uff6b\uff6c"
    "\uff6d\uff6e\uff6f\u0e2f\u0e30\u0e32\u0e33\u0e45\u0e46\u0eaf\u0eb0\u0eb2\u0eb3\u0ebd\u0ec6"
    "\u7684\u4e86\u7740\u8457\u5417\u55ce\u5462\u5427\u4eec\u5011\u4e2a\u500b\u79cd\u7a2e"
)
#: A line ends neither with these nor with opening brackets: vowels written before their consonant, stacking signs.
_NEVER_LAST = frozenset(
    "$\u00a3\u00a5\uff04\uffe5\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4\u1039\u17d2"
)


def clean(text: str) -> str:
    """Remove control characters, lone surrogates and byte order marks, and collapse spaces."""
    spaced = " ".join(text.split())
    if spaced.isprintable():
        return spaced
    return " ".join("".join(character for character in spaced if not _is_control(character)).split())


def columns(text: str) -> int:
    """Return the width of clean text."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(0, wcswidth(text))


def space_after(text: str) -> str:
    """Return the separator before the next sentence: a space, or nothing after Chinese and Japanese stops."""
    is_wide = unicodedata.east_asian_width(text[-1]) in "FW"
    return "" if is_wide and unicodedata.category(text[-1]).startswith("P") else " "


def unbreakable_parts(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of the parts, mostly words, between which a line may be broken.

    No part is wider than a line. A space between two parts belongs to neither.
    """
    for start, end in _spaced_parts(text):
        part = text[start:end]
        if is_unspaced(part) or columns(part) > MAX_COLUMNS:
            yield from ((start + at, start + to) for at, to in _divide(part))
        else:
            yield start, end


# --- at spaces -------------------------------------------------------------------------------------------------


def _spaced_parts(text: str) -> Iterator[tuple[int, int]]:
    """Split at spaces. Separate closing signs stay with the previous word ("Bonjour !"), opening ones with the next."""
    start = end = 0
    for word in re.finditer("[^ ]+", text):
        is_bound = end > start and (all(map(_is_never_first, word[0])) or all(map(_is_never_last, text[start:end])))
        if is_bound and columns(text[start : word.end()]) <= MAX_COLUMNS:
            end = word.end()
            continue
        if end > start:
            yield start, end
        start, end = word.span()
    if end > start:
        yield start, end


# --- without spaces --------------------------------------------------------------------------------------------


def _divide(part: str) -> Iterator[tuple[int, int]]:
    """Yield words of at most `PHRASE_COLUMNS`."""
    starts = word_starts(part)
    start = end = width = 0
    for at, to, wider in _characters(part):
        if end > start and (at in starts or _is_sign(part[at - 1]) or width + wider > PHRASE_COLUMNS):
            yield start, end
            start, width = at, 0
        end = to
        width += wider
    yield start, end


def _characters(part: str) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and width of the smallest parts that may be separated. Parts wider than a line are cut."""
    from wcwidth import iter_graphemes

    start, end, width, last = 0, 0, 0, ""
    for character in iter_graphemes(part):
        wider = columns(character)
        if last and (_may_part(last, character) or width + wider > MAX_COLUMNS):
            yield start, end, width
            start, width = end, 0
        end += len(character)
        width += wider
        last = character
    yield start, end, width


def _may_part(before: str, after: str) -> bool:
    if not (is_unspaced(before) or is_unspaced(after)):
        return False
    is_space = " " in (before, after)  # before a separate closing sign or after an opening one
    return not (is_space or _is_never_first(after[0]) or _is_never_last(before[-1]))


def _is_sign(character: str) -> bool:
    """Return whether it always ends a word. The models do not know every comma."""
    return _is_never_first(character) and unicodedata.category(character) == "Po"


@lru_cache(maxsize=4096)
def _is_never_first(character: str) -> bool:
    return character in _NEVER_FIRST or unicodedata.category(character) in {"Pe", "Pf"}


@lru_cache(maxsize=4096)
def _is_never_last(character: str) -> bool:
    return character in _NEVER_LAST or unicodedata.category(character) in {"Ps", "Pi"}


def _is_control(character: str) -> bool:
    return character == "\ufeff" or unicodedata.category(character) in {"Cc", "Cs"}
