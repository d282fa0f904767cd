"""Division of one speaker's speech into passages, each of which is shown at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from batchscribe.transcript.fragments import Boundary, Fragment
from batchscribe.transcript.line_breaking import MAX_COLUMNS

MIN_MS = 1_000  #: the shortest time for which a passage is shown
MAX_MS = 7_000  #: and the longest
COLUMNS_PER_SEC = 20  #: the fastest speed at which people read
PAUSE_MS = 2_000  #: a pause this long always ends a passage
#: After this many fragments, the next sentence end closes the block. Twice as many always close it.
BLOCK = 500

#: Penalty points, tuned by reading the subtitles of real recordings.
PASSAGE = 6.0  #: for each passage
END = {Boundary.SENTENCE: 0.0, Boundary.CLAUSE: 3.0, Boundary.WORD: 9.0}  #: by what ends with the passage
END_PAUSE = -6.0  #: per second of pause after the passage, up to one second
END_SHORT = 2.0  #: times `short_word`
INNER_SENTENCE = 2.0  #: for each sentence end inside
INNER_PAUSE = 10.0  #: per second of pause inside, above PAUSE_HEARD_SEC
STARTS_INSIDE = 3.0  #: for a sentence end inside a passage that starts in mid-sentence
ENDS_INSIDE = 5.0  #: and in one that ends in mid-sentence
UNEVEN = 4.0  #: for a full passage; grows with the square of the width, so that passages get similar widths
TOO_SHORT = 20.0  #: per second missing to MIN_MS before the next words
TOO_FAST = 6.0  #: for two full lines, times the missing reading time relative to the available time
ORPHAN = 6.0  #: for a passage of at most ORPHAN_COLUMNS that is not a sentence

SHORT_COLUMNS = 3
ORPHAN_COLUMNS = 8
PAUSE_HEARD_SEC = 0.4


def reading_ms(width: int) -> int:
    """Return the time that it takes to read a text of this width."""
    return -(-width * 1000 // COLUMNS_PER_SEC)


def divide(fragments: Sequence[Fragment], label_columns: int = 0) -> Iterator[Sequence[Fragment]]:
    """Yield the passages, in order. Each lasts at most 7 s and fits on two lines, the first with room for a label.

    Dynamic programming finds the division with the fewest penalty points. It takes O(n * m) time for n fragments if
    two lines hold m of them, and memory for one block.
    """
    for start, end in pairwise(_block_ends(fragments)):
        next_ms = fragments[end].start_ms if end < len(fragments) else fragments[-1].end_ms + MAX_MS
        yield from _Block(fragments[start:end], next_ms, label_columns).split()


def _block_ends(fragments: Sequence[Fragment]) -> Iterator[int]:
    start = 0
    yield start
    for at, (fragment, following) in enumerate(pairwise(fragments), start=1):
        is_long = at - start >= BLOCK and fragment.boundary is Boundary.SENTENCE
        if is_long or at - start >= 2 * BLOCK or following.start_ms - fragment.end_ms >= PAUSE_MS:
            start = at
            yield start
    if fragments:
        yield len(fragments)


class _Block:
    """Speech without long pauses. Boundary `n` precedes fragment `n`."""

    def __init__(self, fragments: Sequence[Fragment], next_ms: int, label_columns: int) -> None:
        self._fragments = fragments
        self._label_columns = label_columns
        self._starts = [*(fragment.start_ms for fragment in fragments), next_ms]
        self._ends = [0, *(fragment.end_ms for fragment in fragments)]
        self._columns = list(accumulate((each.width + each.has_space for each in fragments), initial=0))
        self._filled = [0, *(to - each.has_space for to, each in zip(self._columns[1:], fragments, strict=True))]
        pauses = [
            max(0, following - end) / 1000 for following, end in zip(self._starts[1:], self._ends[1:], strict=True)
        ]
        is_sentence = [each.boundary is Boundary.SENTENCE for each in fragments]
        self._sentences = [0, *accumulate(map(int, is_sentence))]  # how many end up to each boundary
        self._inner = [0.0, *accumulate(map(_inner_points, is_sentence, pauses))]
        self._edge = [0.0, *map(_edge_points, fragments, [*fragments[1:], None], pauses)]
        self._is_edge_of_sentence = [True, *is_sentence[:-1], True]

    def split(self) -> Iterator[Sequence[Fragment]]:
        count = len(self._fragments)
        best = [0.0, *[float("inf")] * count]
        came_from = [0] * (count + 1)
        for start in range(count):
            for end in range(start + 1, self._find_furthest_end(start) + 1):
                points = best[start] + self._points(start, end)
                if points < best[end]:
                    best[end], came_from[end] = points, start
        ends = [count]
        while ends[-1] > 0:
            ends.append(came_from[ends[-1]])
        for start, end in pairwise(reversed(ends)):
            yield self._fragments[start:end]

    def _find_furthest_end(self, start: int) -> int:
        """Return the last possible end of a passage that starts at `start`, by line width and duration."""
        first_line = self._line_end(start, MAX_COLUMNS - self._label_columns)
        both_lines = self._line_end(max(start, first_line), MAX_COLUMNS)
        in_time = bisect_right(self._ends, self._starts[start] + MAX_MS, lo=start + 1) - 1
        return max(start + 1, min(both_lines, in_time))

    def _line_end(self, start: int, width: int) -> int:
        return bisect_right(self._filled, self._columns[start] + width, lo=start + 1) - 1

    def _points(self, start: int, end: int) -> float:
        width = self._filled[end] - self._columns[start]
        points = PASSAGE + self._edge[end] + self._inner[end - 1] - self._inner[start]
        points += UNEVEN * (width / (2 * MAX_COLUMNS)) ** 2
        available_ms = max(1, min(MAX_MS, self._starts[end] - self._starts[start]))
        if available_ms < MIN_MS:
            points += TOO_SHORT * (1 - available_ms / MIN_MS)
        if (missing_ms := reading_ms(width) - available_ms) > 0:
            points += TOO_FAST * min(2.0, missing_ms / available_ms) * width / (2 * MAX_COLUMNS)
        starts_well, ends_well = self._is_edge_of_sentence[start], self._is_edge_of_sentence[end]
        if self._sentences[end - 1] > self._sentences[start]:
            points += STARTS_INSIDE * (not starts_well) + ENDS_INSIDE * (not ends_well)
        elif width <= ORPHAN_COLUMNS and not (starts_well and ends_well):
            points += ORPHAN
        return points


def _inner_points(is_sentence: bool, pause_sec: float) -> float:
    return INNER_SENTENCE * is_sentence + INNER_PAUSE * max(0.0, pause_sec - PAUSE_HEARD_SEC)


def _edge_points(last: Fragment, following: Fragment | None, pause_sec: float) -> float:
    points = END[last.boundary] + END_PAUSE * min(1.0, pause_sec)
    return max(0.0, points + END_SHORT * short_word(last, following))


def short_word(last: Fragment, following: Fragment | None) -> int:
    """Return 1 if a break here follows a short word, such as "of", and -1 if it precedes one.

    A short word mostly belongs to the words after it. Returns 0 at a clause end and in scripts without spaces.
    """
    if following is None or last.boundary is not Boundary.WORD or not last.has_space:
        return 0
    if last.width <= SHORT_COLUMNS:
        return 1
    return -1 if following.width <= SHORT_COLUMNS and following.boundary is Boundary.WORD else 0
