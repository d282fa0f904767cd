"""From what the engine heard to the segments of a transcript: exact times, and the limits of the format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from batchscribe.segment import Hearing, Word

MAX_WORDS = 100  #: in one segment, contract 4
MAX_SEGMENTS = 10_000  #: in one transcript, contract 4
FIRST_GAP_SEC = 0.5  #: the voice detector's shortest silence, so the smallest gap there is to close


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in one segment; `start_sec` counts from the start of the recording."""

    channel: int
    start_sec: float
    duration_sec: float
    hearing: Hearing


@dataclass(frozen=True, slots=True)
class TranscriptSegment:
    """One segment as it is written: times in seconds from the start of the recording, words inside, in order."""

    channel: int
    start_sec: float
    end_sec: float
    text: str
    words: tuple[Word, ...] = ()
    language: str | None = None


def transcript_segments(heard: Iterable[Heard], duration_sec: float) -> tuple[TranscriptSegment, ...]:
    """By start and channel, none without text, none over `MAX_WORDS` words where the engine gave any."""
    segments = [piece for one in heard if one.hearing.text.strip() for piece in _split(_placed(one, duration_sec))]
    return tuple(_joined_to_fit(sorted(segments, key=_position), duration_sec))


def _position(segment: TranscriptSegment) -> tuple[float, int, float]:
    return segment.start_sec, segment.channel, segment.end_sec


# --- times -----------------------------------------------------------------------------------------------------


def _placed(heard: Heard, duration_sec: float) -> TranscriptSegment:
    start = milliseconds(min(max(heard.start_sec, 0.0), duration_sec))
    end = milliseconds(min(max(heard.start_sec + heard.duration_sec, start), duration_sec))
    return TranscriptSegment(
        channel=heard.channel,
        start_sec=start,
        end_sec=end,
        text=" ".join(heard.hearing.text.split()),
        words=tuple(_placed_words(heard, start, end)),
        language=heard.hearing.language,
    )


def _placed_words(heard: Heard, start: float, end: float) -> Iterator[Word]:
    """Each word begins no earlier than the one before it ends."""
    earliest = start
    for word in heard.hearing.words:
        if text := word.text.strip():
            word_start = min(max(milliseconds(heard.start_sec + word.start_sec), earliest), end)
            word_end = min(max(milliseconds(heard.start_sec + word.end_sec), word_start), end)
            yield Word(text, word_start, word_end, word.confidence)
            earliest = word_end


def milliseconds(time_sec: float) -> float:
    return round(float(time_sec), 3)  # float: numpy's own would not be written as JSON


# --- at most so many words -------------------------------------------------------------------------------------


def _split(segment: TranscriptSegment) -> Iterator[TranscriptSegment]:
    """Cut after every `MAX_WORDS` words; the inner ends are those of the words beside the cut."""
    if len(segment.words) <= MAX_WORDS:
        yield segment
        return
    batches = [segment.words[at : at + MAX_WORDS] for at in range(0, len(segment.words), MAX_WORDS)]
    starts = [segment.start_sec, *(words[0].start_sec for words in batches[1:])]
    ends = [*(words[-1].end_sec for words in batches[:-1]), segment.end_sec]
    for start, end, text, words in zip(starts, ends, _texts(segment.text, batches), batches, strict=True):
        yield replace(segment, start_sec=start, end_sec=end, text=text, words=words)


def _texts(text: str, batches: list[tuple[Word, ...]]) -> list[str]:
    """The display text cut where the batches begin; the words themselves where they are not found in it."""
    starts, at = [], 0
    for words in batches:
        for position, word in enumerate(words):
            found = text.find(word.text, at)
            if found < 0:
                return [" ".join(word.text for word in words) for words in batches]
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
    return few_words and first.language == second.language and second.start_sec - first.end_sec <= gap_sec


def _join(first: TranscriptSegment, second: TranscriptSegment) -> TranscriptSegment:
    return replace(
        first,
        end_sec=max(first.end_sec, second.end_sec),
        text=f"{first.text} {second.text}",
        words=first.words + second.words,
    )
