"""A transcript as cues, the units of subtitles, with their texts and times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from batchscribe.transcript.cue_times import Spoken, schedule
from batchscribe.transcript.document import Transcript
from batchscribe.transcript.fragments import Boundary, Fragment, fragments, join_fragments
from batchscribe.transcript.line_breaking import MAX_COLUMNS, columns
from batchscribe.transcript.passages import MAX_MS, MIN_MS, divide, short_word
from batchscribe.transcript.segments import TranscriptSegment

#: Penalty points of a line break.
BREAK = {Boundary.SENTENCE: 0.0, Boundary.CLAUSE: 1.5, Boundary.WORD: 4.0}  #: by what ends with the first line
BREAK_SHORT = 1.5  #: times `short_word`
LABEL_ALONE = 6.0  #: for a first line with nothing but the label
UNEVEN_LINES = 6.0  #: for a difference in width of a full line
TOP_HEAVY = 0.3  #: if the first line is the wider one
TOO_WIDE = 1_000.0  #: per column over MAX_COLUMNS


@dataclass(frozen=True, slots=True)
class CuePart:
    """One speaker's text in a cue. `label` names the speaker or the channel if there are several."""

    label: str | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cue:
    """Up to two lines; times in milliseconds from the start of the recording."""

    start_ms: int
    end_ms: int
    parts: tuple[CuePart, ...]  #: one, or two with a line each if two speak at once


@dataclass(frozen=True, slots=True)
class _Passage:
    """Text of one speaker for up to two lines."""

    channel: int
    label: str | None
    fragments: Sequence[Fragment]

    @property
    def start_ms(self) -> int:
        return self.fragments[0].start_ms

    @property
    def end_ms(self) -> int:
        return self.fragments[-1].end_ms

    @property
    def width(self) -> int:
        """The width in columns of the text on one line, with the label."""
        spaces = sum(each.has_space for each in self.fragments[:-1])
        return columns(_label_text(self.label)) + sum(each.width for each in self.fragments) + spaces


def cues(transcript: Transcript, *, with_labels: bool) -> list[Cue]:
    """Return the cues, in order, without overlap. `with_labels` adds the label to the text where the speaker changes.

    Cues have the same times with and without labels. Takes O(n log n) time and O(n) memory for n words.
    """
    shown = list(_pair_passages(_passages(transcript)))
    spoken = [
        Spoken(each[0].start_ms, max(one.end_ms for one in each), sum(one.width for one in each)) for each in shown
    ]
    times = schedule(spoken, round(transcript.duration_sec * 1000))
    return [Cue(start, end, parts) for (start, end), parts in zip(times, _parts(shown, with_labels), strict=True)]


def _passages(transcript: Transcript) -> list[_Passage]:
    """Return the passages of all speakers, sorted by start."""
    found = [
        _Passage(channel, label, passage)
        for channel, label, segments in _group_by_speaker(transcript)
        for passage in divide(fragments(segments), columns(_label_text(label)))
    ]
    return sorted(found, key=lambda each: (each.start_ms, each.channel))


def _group_by_speaker(transcript: Transcript) -> Iterator[tuple[int, str | None, list[TranscriptSegment]]]:
    """Yield the uninterrupted speech of each speaker or, with separate channels, all the speech of each channel."""
    if transcript.speakers:
        for label, group in groupby(transcript.segments, key=transcript.label):
            segments = list(group)
            yield segments[0].channel, label, segments
        return
    by_channel: dict[tuple[int, str | None], list[TranscriptSegment]] = {}
    for segment in transcript.segments:
        by_channel.setdefault((segment.channel, transcript.label(segment)), []).append(segment)
    for (channel, label), segments in by_channel.items():
        yield channel, label, segments


def _pair_passages(passages: Sequence[_Passage]) -> Iterator[tuple[_Passage, ...]]:
    """Yield pairs of short passages that two speakers say at once or in quick succession, and all others alone."""
    waiting: _Passage | None = None
    for passage in passages:
        if waiting is None:
            waiting = passage
        elif _may_be_together(waiting, passage):
            yield waiting, passage
            waiting = None
        else:
            yield (waiting,)
            waiting = passage
    if waiting:
        yield (waiting,)


def _may_be_together(first: _Passage, second: _Passage) -> bool:
    is_other = first.channel != second.channel
    is_close = second.start_ms < max(first.end_ms, first.start_ms + MIN_MS)
    is_short = max(first.end_ms, second.end_ms) - first.start_ms <= MAX_MS
    return is_other and is_close and is_short and max(first.width, second.width) <= MAX_COLUMNS


# --- lines -----------------------------------------------------------------------------------------------------


def _parts(shown: Sequence[tuple[_Passage, ...]], with_labels: bool) -> Iterator[tuple[CuePart, ...]]:
    """Yield the parts of each cue. Labels appear where the speaker changes, and in and after cues of two speakers."""
    last: str | None = None
    for passages in shown:
        is_labeled = with_labels and (len(passages) > 1 or passages[0].label != last)
        yield tuple(_part(each, is_labeled) for each in passages)
        last = passages[0].label if len(passages) == 1 else None


def _part(passage: _Passage, is_labeled: bool) -> CuePart:
    label = _label_text(passage.label) if is_labeled else ""
    return CuePart(passage.label, _lines(passage.fragments, label))


def _label_text(label: str | None) -> str:
    return f"{label}: " if label else ""


def _lines(parts: Sequence[Fragment], label: str) -> tuple[str, ...]:
    """Return one line if everything fits, else two of similar width, broken at a clause end if possible."""
    filled = list(accumulate((each.width + each.has_space for each in parts), initial=columns(label)))
    whole = filled[-1] - parts[-1].has_space
    if whole <= MAX_COLUMNS:
        return (label + join_fragments(parts),)
    breaks = range(0 if label else 1, len(parts))
    at = min(breaks, key=lambda at: _line_points(parts, at, filled[at], whole - filled[at]))
    return (label + join_fragments(parts[:at])).rstrip(), join_fragments(parts[at:])


def _line_points(parts: Sequence[Fragment], at: int, upper: int, lower: int) -> float:
    """Return the penalty of a break before fragment `at`. `upper` includes the space after the first line, if any."""
    points = LABEL_ALONE
    if at > 0:
        last = parts[at - 1]
        upper -= last.has_space
        points = BREAK[last.boundary] + BREAK_SHORT * short_word(last, parts[at])
    points += UNEVEN_LINES * abs(upper - lower) / MAX_COLUMNS + TOP_HEAVY * (upper > lower)
    return points + TOO_WIDE * (max(0, upper - MAX_COLUMNS) + max(0, lower - MAX_COLUMNS))
