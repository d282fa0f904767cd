"""Replacement of text, both in a segment and in its words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from batchscribe.transcript.segments import TranscriptSegment, milliseconds
from batchscribe.transcript.word_finder import Found, WordFinder
from batchscribe.window import Word

#: Returns the new text for a phrase. Takes the phrase as written, and its position in the list of the finder.
Replacement = Callable[[str, int], str]


def rewrite(segment: TranscriptSegment, finder: WordFinder, replacement: Replacement) -> TranscriptSegment:
    """Return the segment with every phrase of the finder replaced. A segment without one is returned as it is.

    If the number of words stays the same, each keeps its time and confidence. Otherwise the new words divide the time
    of the old ones in proportion to their lengths, and have the lowest of their confidences.
    """
    found = finder.find(segment.text)
    words = _rewrite_words(segment, found, finder, replacement)
    if not found and words == segment.words:
        return segment
    return replace(segment, text=_replace(segment.text, 0, found, replacement), words=words)


def _replace(text: str, offset: int, found: Sequence[Found], replacement: Replacement) -> str:
    """Replace what was found in a text that begins `offset` characters into the searched text."""
    written, at = "", 0
    for each in found:
        start, end = each.start - offset, each.end - offset
        written += text[at:start] + replacement(text[start:end], each.entry)
        at = end
    return written + text[at:]


@dataclass(frozen=True, slots=True)
class _Placed:
    word: Word
    start: int
    end: int


def _rewrite_words(
    segment: TranscriptSegment, found: list[Found], finder: WordFinder, replacement: Replacement
) -> tuple[Word, ...]:
    if not segment.words:
        return ()
    text, placed = segment.text, _place(segment.words, segment.text)
    if not placed:  # the text lacks a word
        text = " ".join(word.text for word in segment.words)
        placed, found = _place(segment.words, text), finder.find(text)
    return tuple(word for group in _group(placed, found) for word in _new_words(text, *group, replacement))


def _place(words: Sequence[Word], text: str) -> list[_Placed]:
    """Return the words with their positions in the text; empty if it does not contain them in this order."""
    placed, at = [], 0
    for word in words:
        start = text.find(word.text, at)
        if start < 0:
            return []
        at = start + len(word.text)
        placed.append(_Placed(word, start, at))
    return placed


def _group(placed: list[_Placed], found: list[Found]) -> Iterator[tuple[list[_Placed], list[Found]]]:
    """Yield groups of words, each with what was found in it. A group in which nothing was found has one word."""
    left = list(reversed(found))
    group: list[_Placed] = []
    inside: list[Found] = []
    for each in placed:
        if group and not (inside and inside[-1].end > each.start):
            yield group, inside
            group, inside = [], []
        group.append(each)
        while left and left[-1].start < each.end:
            inside.append(left.pop())
    yield group, inside


def _new_words(text: str, group: list[_Placed], found: list[Found], replacement: Replacement) -> Sequence[Word]:
    old = [each.word for each in group]
    if not found:
        return old
    start, end = min(group[0].start, found[0].start), max(group[-1].end, found[-1].end)
    texts = _replace(text[start:end], start, found, replacement).split()
    if len(texts) == len(old):
        return [replace(word, text=new) for word, new in zip(old, texts, strict=True)]
    known = [word.confidence for word in old if word.confidence is not None]
    times = _share(old[0].start_sec, old[-1].end_sec, [len(new) for new in texts])
    return [
        Word(new, start_sec, end_sec, min(known, default=None))
        for new, (start_sec, end_sec) in zip(texts, pairwise(times), strict=True)
    ]


def _share(start_sec: float, end_sec: float, lengths: Sequence[int]) -> list[float]:
    """Divide a span by these lengths; return the ends of the parts, in milliseconds as seconds."""
    total = sum(lengths)
    return [milliseconds(start_sec + (end_sec - start_sec) * done / total) for done in accumulate(lengths, initial=0)]
