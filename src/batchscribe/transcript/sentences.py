"""Division of phrases into readable segments, at pauses and sentence ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from batchscribe.window import Word

#: A pause between words of this length always ends a segment.
PAUSE_SEC = 1.0
#: A longer sentence is split at its best position, repeatedly.
MAX_SEC = 15.0
MAX_SENTENCE_WORDS = 40
#: A comma counts as a pause of this length when a long sentence is split.
CLAUSE_SEC = 0.5

#: For the scripts of Whisper's languages: Chinese and Japanese full stops, the Arabic question mark, the danda...
_STOPS = ".!?\u2026\u3002\uff01\uff1f\uff61\u061f\u0964\u1362\u104b"
_COMMAS = ",;:\u2014\u3001\uff0c\uff1b\uff1a\u060c\u061b"
_CLOSING = "'\")\\]\u00bb\u201d\u2019\u300d\u300f"
_SENTENCE_END = re.compile(f"[{_STOPS}][{_CLOSING}]*$")
_CLAUSE_END = re.compile(f"[{_COMMAS}][{_CLOSING}]*$")
#: Their full stop does not end a sentence; neither does one after a single letter.
_ABBREVIATIONS = frozenset({"mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "vs.", "sr.", "sra.", "no.", "nr.", "z.b."})


def split_sentences(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Yield the words of each segment, in order. Every word is in exactly one segment; no segment is empty."""
    cuts = [at for at, (word, following) in enumerate(pairwise(words), start=1) if _must_cut(word, following)]
    for start, end in pairwise([0, *cuts, len(words)]):
        yield from _split_long(words[start:end])


def _must_cut(word: Word, following: Word) -> bool:
    return following.start_sec - word.end_sec >= PAUSE_SEC or ends_sentence(word.text, following.text)


def ends_sentence(text: str, following: str) -> bool:
    """Return whether a sentence ends with the word `text`; `following` is the next word."""
    if not _SENTENCE_END.search(text) or following[:1].islower():
        return False
    is_initial = len(text) == 2 and text[0].isalpha() and text[1] == "."
    return not is_initial and text.lower() not in _ABBREVIATIONS


def ends_clause(text: str) -> bool:
    return _CLAUSE_END.search(text) is not None


def _split_long(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    if len(words) < 2 or (len(words) <= MAX_SENTENCE_WORDS and words[-1].end_sec - words[0].start_sec <= MAX_SEC):
        yield words
        return
    cut = _best_cut(words)
    yield from _split_long(words[:cut])
    yield from _split_long(words[cut:])


def _best_cut(words: Sequence[Word]) -> int:
    """Return the index where the second part starts: after the longest pause near the middle, preferably a comma."""
    margin = len(words) // 4
    candidates = range(max(1, margin), max(2, len(words) - margin))

    def worth(at: int) -> tuple[float, int]:
        pause_sec = max(0.0, words[at].start_sec - words[at - 1].end_sec)
        clause_sec = CLAUSE_SEC if ends_clause(words[at - 1].text) else 0.0
        return pause_sec + clause_sec, -abs(2 * at - len(words))

    return max(candidates, key=worth)
