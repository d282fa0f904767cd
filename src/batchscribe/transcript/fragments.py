"""A transcript as fragments, which are pieces of text that no line break may divide, with their times."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import chain, pairwise

from batchscribe.transcript.line_breaking import clean, columns, space_after, unbreakable_parts
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.transcript.sentences import ends_clause, ends_sentence
from batchscribe.transcript.unspaced import is_unspaced


class Boundary(IntEnum):
    """The largest unit that ends with a fragment."""

    WORD = 0
    CLAUSE = 1
    SENTENCE = 2


@dataclass(frozen=True, slots=True)
class Fragment:
    """Mostly one word. Times are in milliseconds from the start of the recording."""

    text: str
    start_ms: int
    end_ms: int
    width: int  #: in columns
    has_space: bool  #: between it and the next one
    boundary: Boundary = Boundary.WORD


def fragments(segments: Iterable[TranscriptSegment]) -> list[Fragment]:
    """Return the fragments of one speaker's segments, in order and without overlap."""
    parts = list(_in_order(chain.from_iterable(map(_fragments_of, segments))))
    return [
        replace(part, boundary=_boundary(part, following))
        for part, following in zip(parts, [*parts[1:], None], strict=False)
    ]


def join_fragments(parts: Sequence[Fragment]) -> str:
    """Return their text on one line."""
    return "".join(part.text + " " * part.has_space for part in parts).rstrip()


def _in_order(parts: Iterable[Fragment]) -> Iterator[Fragment]:
    latest_ms = 0
    for part in parts:
        start_ms = max(part.start_ms, latest_ms)
        latest_ms = max(part.end_ms, start_ms)
        yield replace(part, start_ms=start_ms, end_ms=latest_ms)


def _boundary(part: Fragment, following: Fragment | None) -> Boundary:
    if following is None or ends_sentence(part.text, following.text):
        return Boundary.SENTENCE
    # In scripts without spaces between words, a space separates clauses.
    is_clause = part.has_space and is_unspaced(part.text[-1]) and is_unspaced(following.text[0])
    return Boundary.CLAUSE if is_clause or ends_clause(part.text) else part.boundary


# --- one segment -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _TimedText:
    """A word with everything up to the next one, or a whole segment if its words are unknown."""

    at: int  #: its position in the text of the segment
    text: str
    start_ms: int
    end_ms: int


def _fragments_of(segment: TranscriptSegment) -> list[Fragment]:
    text = clean(segment.text)
    timed = _timed_texts(segment, text)
    parts = [
        Fragment(
            text=text[start:end],
            start_ms=_time(timed, start, start),
            end_ms=_time(timed, end - 1, end),
            width=columns(text[start:end]),
            has_space=text[end : end + 1] == " ",
        )
        for start, end in unbreakable_parts(text)
    ]
    if parts:
        # If words are known, a segment that ends in mid-sentence ends at a pause, which has its own penalty points.
        boundary = Boundary.WORD if segment.words else Boundary.CLAUSE
        parts[-1] = replace(parts[-1], has_space=space_after(text) != "", boundary=boundary)
    return parts


def _timed_texts(segment: TranscriptSegment, text: str) -> list[_TimedText]:
    words = [(word, said) for word in segment.words if (said := clean(word.text))]
    starts = _positions(text, [said for _, said in words])
    if not starts:
        return [_TimedText(0, text, _ms(segment.start_sec), _ms(segment.end_sec))]
    starts[0] = 0
    return [
        _TimedText(start, text[start:end].rstrip(), _ms(word.start_sec), _ms(word.end_sec))
        for (start, end), (word, _) in zip(pairwise([*starts, len(text)]), words, strict=True)
    ]


def _positions(text: str, words: Iterable[str]) -> list[int]:
    """Return where the words start in the text; empty if the text does not contain them in this order."""
    starts, at = [], 0
    for word in words:
        found = text.find(word, at)
        if found < 0:
            return []
        starts.append(found)
        at = found + len(word)
    return starts


def _time(timed: Sequence[_TimedText], inside: int, at: int) -> int:
    """Return the time of position `at`, interpolated by width in the word that contains the character `inside`."""
    word = timed[bisect_right(timed, inside, key=lambda each: each.at) - 1]
    if at <= word.at:
        return word.start_ms
    if at >= word.at + len(word.text):
        return word.end_ms
    share = min(1.0, columns(word.text[: at - word.at]) / max(1, columns(word.text)))
    return word.start_ms + round((word.end_ms - word.start_ms) * share)


def _ms(time_sec: float) -> int:
    return round(time_sec * 1000)
