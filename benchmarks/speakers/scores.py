"""The diarization error rate of turns against a reference, with pyannote.metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from batchscribe.window import SpeakerTurn
from benchmarks.speakers.conversation import Conversation

COLLAR_SEC = 0.25  #: on each side of a boundary of the reference


@dataclass(frozen=True, slots=True)
class Score:
    """Parts of the speech of the reference, in which overlapping speech counts for each of its speakers."""

    missed: float
    false_speech: float
    confusion: float

    @property
    def error(self) -> float:
        return self.missed + self.false_speech + self.confusion


@dataclass(frozen=True, slots=True)
class Result:
    """One conversation. `true_speakers` and `found_speakers` are numbers of speakers."""

    name: str
    duration_sec: float
    with_collar: Score
    without_collar: Score
    true_speakers: int
    found_speakers: int


def score(conversation: Conversation, turns: Sequence[SpeakerTurn]) -> Result:
    return Result(
        conversation.name,
        conversation.duration_sec,
        _score(conversation, turns, COLLAR_SEC),
        _score(conversation, turns, 0.0),
        conversation.speakers,
        len({turn.speaker for turn in turns}),
    )


def average(scores: Sequence[Score]) -> Score:
    """Return the mean over conversations: each counts the same."""
    fields = [(each.missed, each.false_speech, each.confusion) for each in scores]
    return Score(*(sum(field) / len(scores) for field in zip(*fields, strict=True)))


def _score(conversation: Conversation, turns: Sequence[SpeakerTurn], collar_sec: float) -> Score:
    """`DiarizationErrorRate` divides its collar between both sides of a boundary."""
    metric = DiarizationErrorRate(collar=2 * collar_sec, skip_overlap=False)
    found = [(turn.start_sec, turn.end_sec, str(turn.speaker)) for turn in turns]
    whole = Timeline([Segment(0, conversation.duration_sec)])
    parts = metric(_annotation(conversation.reference), _annotation(found), uem=whole, detailed=True)
    total = parts["total"]
    return Score(parts["missed detection"] / total, parts["false alarm"] / total, parts["confusion"] / total)


def _annotation(turns: Sequence[tuple[float, float, str]]) -> Annotation:
    annotation = Annotation()
    for number, (start_sec, end_sec, speaker) in enumerate(turns):
        annotation[Segment(start_sec, end_sec), number] = speaker
    return annotation
