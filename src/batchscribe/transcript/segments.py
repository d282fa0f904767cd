"""From what the engine recognized to the segments of a transcript: exact times, and the limits of the format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from batchscribe.transcript.sentences import split_sentences
from batchscribe.window import Flag, Phrase, Recognition, Word

MAX_WORDS = 100  #: in one segment, contract 4
MAX_SEGMENTS = 10_000  #: in one transcript, contract 4
FIRST_GAP_SEC = 0.5  #: the voice detector's shortest silence, so the smallest gap there is to close


@dataclass(frozen=True, slots=True)
class RecognizedWindow:
    """What was recognized in one window; `start_sec` counts from the start of the recording."""

    channel: int
    start_sec: float
    duration_sec: float
    recognition: Recognition


@dataclass(frozen=True, slots=True)
class TranscriptSegment:
    """One segment as it is written: times in seconds from the start of the recording, words inside, in order."""

    channel: int
    start_sec: float
    end_sec: float
    text: str
    words: tuple[Word, ...] = ()
    language: str | None = None
    flags: tuple[Flag, ...] = ()


def transcript_segments(recognized: Iterable[RecognizedWindow], duration_sec: float) -> tuple[TranscriptSegment, ...]:
    """By start and channel, none without text, none over `MAX_WORDS` words where the engine gave any.

    A segment is about a sentence where the engine gave words, else a phrase of the engine.
    """
    segments = [
        segment
        for window in recognized
        for phrase in window.recognition.phrases
        if phrase.text.strip()
        for segment in _segments_of(phrase, window, duration_sec)
    ]
    return tuple(_joined_to_fit(sorted(segments, key=_position), duration_sec))


def _position(segment: TranscriptSegment) -> tuple[float, int, float]:
    return segment.start_sec, segment.channel, segment.end_sec


# --- times -----------------------------------------------------------------------------------------------------


def _segments_of(phrase: Phrase, window: RecognizedWindow, duration_sec: float) -> Iterator[TranscriptSegment]:
    start = _clamped(window.start_sec + phrase.start_sec, _clamped(window.start_sec, 0.0, duration_sec), duration_sec)
    end = _clamped(window.start_sec + min(phrase.end_sec, window.duration_sec), start, duration_sec)
    words = list(_placed_words(phrase.words, window.start_sec, start, end))
    whole = TranscriptSegment(
        channel=window.channel,
        start_sec=start,
        end_sec=end,
        text=" ".join(phrase.text.split()),
        language=window.recognition.language,
        flags=phrase.flags,
    )
    if not words:
        yield whole
        return
    parts = [part[at : at + MAX_WORDS] for part in split_sentences(words) for at in range(0, len(part), MAX_WORDS)]
    for part, text in zip(parts, _texts(whole.text, parts), strict=True):
        yield replace(whole, start_sec=part[0].start_sec, end_sec=part[-1].end_sec, text=text, words=tuple(part))


def _placed_words(words: Iterable[Word], offset_sec: float, start: float, end: float) -> Iterator[Word]:
    """Each word begins no earlier than the one before it ends."""
    earliest = start
    for word in words:
        if text := word.text.strip():
            word_start = _clamped(offset_sec + word.start_sec, earliest, end)
            word_end = _clamped(offset_sec + word.end_sec, word_start, end)
            yield Word(text, word_start, word_end, word.confidence)
            earliest = word_end


def _clamped(time_sec: float, earliest: float, latest: float) -> float:
    return min(max(milliseconds(time_sec), earliest), latest)


def milliseconds(time_sec: float) -> float:
    return round(float(time_sec), 3)  # float: numpy's own would not be written as JSON


# --- text ------------------------------------------------------------------------------------------------------


def _texts(text: str, parts: Sequence[Sequence[Word]]) -> list[str]:
    """The display text cut where the parts begin; the words themselves where they are not found in it."""
    starts, at = [], 0
    for words in parts:
        for position, word in enumerate(words):
            found = text.find(word.text, at)
            if found < 0:
                return [" ".join(word.text for word in words) for words in parts]
            if position == 0:
                starts.append(found)
            at = found + len(word.text)
    starts[0] = 0
    return [text[start:end].strip() for start, end in pairwise([*starts, len(text)])]


# --- at most so many segments ----------------------------------------------------------------------------------


def _joined_to_fit(segments: list[TranscriptSegment], duration_sec: float) -> list[TranscriptSegment]:
    """Close ever larger gaps within each channel until few enough are left, or nothing more can be joined."""
    gap_sec = FIRST_GAP_SEC
    while len(segments) > MAX_SEGMENTS and gap_sec < 2 * max(duration_sec, FIRST_GAP_SEC):
        segments = _joined(segments, gap_sec)
        gap_sec *= 2
    return segments


def _joined(segments: list[TranscriptSegment], gap_sec: float) -> list[TranscriptSegment]:
    joined: list[TranscriptSegment] = []
    last_of: dict[int, int] = {}  # the position of each channel's last segment in `joined`
    for segment in segments:
        at = last_of.get(segment.channel)
        if at is not None and _may_join(joined[at], segment, gap_sec):
            joined[at] = _join(joined[at], segment)
        else:
            last_of[segment.channel] = len(joined)
            joined.append(segment)
    return joined


def _may_join(first: TranscriptSegment, second: TranscriptSegment, gap_sec: float) -> bool:
    few_words = len(first.words) + len(second.words) <= MAX_WORDS
    are_alike = (first.language, first.flags) == (second.language, second.flags)
    return few_words and are_alike and second.start_sec - first.end_sec <= gap_sec


def _join(first: TranscriptSegment, second: TranscriptSegment) -> TranscriptSegment:
    return replace(
        first,
        end_sec=max(first.end_sec, second.end_sec),
        text=f"{first.text} {second.text}",
        words=first.words + second.words,
    )
