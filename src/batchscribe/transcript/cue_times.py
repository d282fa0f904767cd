"""The times of cues: one cue at a time, each as close to its speech as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchscribe.transcript.passages import MAX_MS, MIN_MS, reading_ms

SMALL_GAP_MS = 250  #: shorter gaps between cues would flicker and are closed
MAX_SHIFT_MS = 10_000  #: between speech and cue if there are too many cues at once
LOOK_AHEAD = 200  #: the number of later cues that then share the time


@dataclass(frozen=True, slots=True)
class Spoken:
    """The time when the text of a cue is spoken, and the text's width in columns."""

    start_ms: int
    end_ms: int
    width: int


def schedule(spoken: Sequence[Spoken], total_ms: int) -> list[tuple[int, int]]:
    """Return the start and end of each cue, in milliseconds. `spoken` is sorted by start.

    Cues do not overlap and lie within the recording. Each lasts 1 to 7 s: the next cue starts later and the last cues
    start earlier if necessary. Cues are shorter than 1 s only if there are too many for the available time.
    """
    total_ms = max(total_ms, len(spoken))
    starts = _starts(spoken, total_ms)
    return [
        (start, _end(each, start, next_ms, total_ms))
        for each, start, next_ms in zip(spoken, starts, [*starts, total_ms][1:], strict=True)
    ]


def _end(spoken: Spoken, start_ms: int, next_ms: int, total_ms: int) -> int:
    """Return the end of the speech, or a later time if reading takes longer and a pause follows."""
    wanted = max(spoken.end_ms, start_ms + max(MIN_MS, reading_ms(spoken.width)))
    if wanted < next_ms < min(wanted + SMALL_GAP_MS, total_ms):
        wanted = next_ms
    return min(wanted, start_ms + MAX_MS, next_ms)


def _starts(spoken: Sequence[Spoken], total_ms: int) -> list[int]:
    count = len(spoken)
    wanted = [_leave_time_for(count - at, each.start_ms, total_ms) for at, each in enumerate(spoken)]
    starts = wanted[:1]
    for at in range(1, count):
        latest_ms = min(wanted[at] + MAX_SHIFT_MS, total_ms - (count - at) * MIN_MS)
        start_ms = max(wanted[at], min(_turn(spoken[at - 1], starts[-1], spoken[at]), latest_ms))
        if start_ms < starts[-1] + MIN_MS:
            start_ms = max(start_ms, starts[-1] + _shortest(wanted, at, starts[-1], total_ms))
        starts.append(start_ms)
    return starts


def _leave_time_for(count: int, start_ms: int, total_ms: int) -> int:
    """Return the start of the first of the last `count` cues, early enough to show them all in the recording."""
    early_ms = max(start_ms - MAX_SHIFT_MS, total_ms - count * MIN_MS)
    return max(0, min(start_ms, early_ms, total_ms - count))


def _turn(earlier: Spoken, earlier_ms: int, later: Spoken) -> int:
    """Return when `later` replaces `earlier` if both are spoken at once: after its reading time or its share."""
    until_ms = max(earlier.end_ms, later.end_ms)
    share_ms = (until_ms - earlier_ms) * earlier.width // max(1, earlier.width + later.width)
    return min(earlier_ms + min(reading_ms(earlier.width), share_ms), earlier.end_ms)


def _shortest(wanted: Sequence[int], at: int, earlier_ms: int, total_ms: int) -> int:
    """Return how long to show the cue before `at`, so that later cues get equal time and none is too late."""
    following = enumerate(wanted[at : at + LOOK_AHEAD], start=1)
    in_time = min((start_ms + MAX_SHIFT_MS - earlier_ms) // count for count, start_ms in following)
    in_recording = (total_ms - earlier_ms) // (len(wanted) - at + 1)
    return max(1, min(MIN_MS, in_time, in_recording))
