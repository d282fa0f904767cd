"""The numbers of a transcript's speakers, from 1, in the order in which they first appear in its segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.window import SpeakerTurn


def number_speakers(segments: Iterable[TranscriptSegment]) -> dict[int, int]:
    """Return the number of each speaker of the turns. A speaker without a segment has none."""
    speakers = (segment.speaker for segment in segments if segment.speaker is not None)
    return {speaker: number for number, speaker in enumerate(dict.fromkeys(speakers), start=1)}


def renumber(segments: Iterable[TranscriptSegment], numbers: Mapping[int, int]) -> tuple[TranscriptSegment, ...]:
    """Return the segments with their speakers replaced by these numbers."""
    return tuple(
        segment if segment.speaker is None else replace(segment, speaker=numbers[segment.speaker])
        for segment in segments
    )


def measure_speakers(turns: Sequence[SpeakerTurn], numbers: Mapping[int, int], duration_sec: float) -> dict[int, float]:
    """Return the seconds of speech of each speaker number. The speaker's own overlapping turns count once."""
    return {
        number: _measure([turn for turn in turns if turn.speaker == speaker], duration_sec)
        for speaker, number in numbers.items()
    }


def _measure(turns: Iterable[SpeakerTurn], duration_sec: float) -> float:
    total_sec = until_sec = 0.0
    for turn in sorted(turns, key=lambda turn: turn.start_sec):
        end_sec = min(turn.end_sec, duration_sec)
        total_sec += max(0.0, end_sec - max(turn.start_sec, until_sec))
        until_sec = max(until_sec, end_sec)
    return total_sec
