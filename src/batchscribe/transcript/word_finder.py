"""Search for phrases in text: as whole words, in any case, with any spaces or hyphens between the words."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from batchscribe.transcript.unspaced import is_unspaced
from batchscribe.wire.vocabulary import APOSTROPHES, BETWEEN, normal_form

_LAST_MARK = 0x1F000  #: no script has combining marks after this code point
#: What French, Italian and Catalan write before an apostrophe and a word: "l'eau", "dell'anno".
_ELISIONS = frozenset({
    "c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "presqu", "all", "coll",
    "dall", "dell", "nell", "sull", "un", "quell", "quest", "bell", "sant", "gl", "dov", "com", "cos",
})  # fmt: skip
_EXCEPTION = -1  #: the entry of exceptions, which wins over an equal phrase
#: What English puts after a word and an apostrophe: "Zoe's", "Zoe'll", "get'em". With "t", the word would be another.
_CONTRACTIONS = frozenset({"s", "ll", "d", "ve", "re", "m", "em", "n"})


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase in a text, from `start` to before `end`. `entry` is its position in the list of phrases."""

    start: int
    end: int
    entry: int


@dataclass(frozen=True)
class _Pattern:
    entry: int
    phrase: str  #: in normal form
    lead: int = 0  #: characters before the first letter: 1 in ".net"

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The compiled pattern: most phrases of a vocabulary never need one."""
        return _compile(self.phrase)

    @cached_property
    def may_be_inside(self) -> bool:
        """Whether its end may be inside a word."""
        return is_unspaced(self.phrase[-1])


class WordFinder:
    """Finds phrases in texts. A phrase in a script without spaces between words is found anywhere."""

    def __init__(self, phrases: Iterable[str], *, exceptions: Iterable[str] = ()) -> None:
        """Take phrases with at least one letter or digit each. Inside an exception, no phrase is found."""
        self._by_word: defaultdict[str, list[_Pattern]] = defaultdict(list)
        self._by_character: defaultdict[str, list[_Pattern]] = defaultdict(list)
        for entry, phrase in enumerate(phrases):
            self._add(entry, normal_form(phrase))
        for phrase in exceptions:
            self._add(_EXCEPTION, normal_form(phrase))
        for patterns in (*self._by_word.values(), *self._by_character.values()):
            patterns.sort(key=lambda pattern: (-len(pattern.phrase), pattern.entry))

    def _add(self, entry: int, phrase: str) -> None:
        if is_unspaced(phrase[0]):
            self._by_character[_key(phrase[0])].append(_Pattern(entry, phrase))
        else:
            first = next(_words().finditer(phrase))
            self._by_word[_key(first[0])].append(_Pattern(entry, phrase, first.start()))

    def find(self, text: str) -> list[Found]:
        """Return the phrases in order, without overlaps; of those that begin at the same place, the longest."""
        found: list[Found] = []
        for each in sorted(self._find_all(text), key=lambda each: (each.start, -each.end, each.entry)):
            if not found or each.start >= found[-1].end:
                found.append(each)
        return [each for each in found if each.entry != _EXCEPTION]

    def _find_all(self, text: str) -> Iterator[Found]:
        for at, character in enumerate(text if self._by_character else ""):
            for pattern in self._by_character.get(_key(character), ()):
                whole = pattern.regex.match(text, at)
                if whole is not None:
                    yield Found(at, whole.end(), pattern.entry)
                    break
        for word in _words().finditer(text):
            if not _begins(text, word.start()):
                continue
            for pattern in self._by_word.get(_key(word[0]), ()):
                whole = pattern.regex.match(text, word.start() - pattern.lead)
                if whole is not None and (pattern.may_be_inside or _ends(text, whole.end())):
                    yield Found(whole.start(), whole.end(), pattern.entry)
                    break


def _begins(text: str, at: int) -> bool:
    """Return whether a word begins here. After an apostrophe, one begins only if an elision precedes."""
    if at < 2 or text[at - 1] not in APOSTROPHES:
        return True
    before = list(_words().finditer(text, max(0, at - 10), at - 1))
    return not before or before[-1].end() < at - 1 or before[-1][0].lower() in _ELISIONS


def _ends(text: str, at: int) -> bool:
    """Return whether a word ends here. After it, an apostrophe with one of `_CONTRACTIONS` may follow."""
    following = _words().match(text, at + 1 if text[at : at + 1] in (*APOSTROPHES,) else at)
    return following is None or (following.start() > at and following[0].lower() in _CONTRACTIONS)


def _key(word: str) -> str:
    """Return the word in a form that is the same in any case. Folding the Turkish capital I leaves a combining dot."""
    return word.casefold().replace("\N{COMBINING DOT ABOVE}", "")


def _compile(phrase: str) -> re.Pattern[str]:
    written = f"{BETWEEN}+".join(map(re.escape, phrase.split(" "))).replace("'", f"[{APOSTROPHES}]")
    return re.compile(written, re.IGNORECASE)


@cache
def _words() -> re.Pattern[str]:
    r"""Return a pattern of words. Python's `\w` lacks combining marks, such as the vowel signs of Indic scripts."""
    category = unicodedata.category
    marks = "".join(each for each in map(chr, range(_LAST_MARK)) if category(each)[0] == "M")
    return re.compile(rf"[\w{marks}]+")


def split_words(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the words of a text and the text between them, in order, each with whether it is a word."""
    at = 0
    for word in _words().finditer(text):
        if word.start() > at:
            yield text[at : word.start()], False
        yield word[0], True
        at = word.end()
    if at < len(text):
        yield text[at:], False
