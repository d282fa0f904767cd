"""Transcript segments, built from the recognized text, with valid times and within the limits of the format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice, pairwise

from batchscribe.transcript.sentences import split_sentences
from batchscribe.transcript.word_speakers import assign_speakers
from batchscribe.window import Flag, Phrase, Recognition, SpeakerTurn, Word

MAX_WORDS = 100  #: in one segment, contract 4
MAX_SEGMENTS = 10_000  #: in one transcript, contract 4
FIRST_GAP_SEC = 0.5  #: the shortest silence of the voice detector, and so the smallest gap to close


@dataclass(frozen=True, slots=True)
class RecognizedWindow:
    """The recognition of one window; `start_sec` counts from the start of the recording."""

    channel: int
    start_sec: float
    duration_sec: float
    recognition: Recognition


@dataclass(frozen=True, slots=True)
class TranscriptSegment:
    """One segment with its words, in order; times in seconds from the start of the recording."""

    channel: int
    start_sec: float
    end_sec: float
    text: str
    words: tuple[Word, ...] = ()
    language: str | None = None
    flags: tuple[Flag, ...] = ()
    speaker: int | None = None  #: of a `SpeakerTurn`, or in a transcript from 1; None without diarization


#: A function that changes the text of a segment and of its words.
Rewriter = Callable[[TranscriptSegment], TranscriptSegment]


def transcript_segments(
    recognized: Iterable[RecognizedWindow],
    duration_sec: float,
    *,
    turns: Sequence[SpeakerTurn] = (),
    rewriters: Sequence[Rewriter] = (),
) -> tuple[TranscriptSegment, ...]:
    """Return the segments, sorted by start and channel. Each has text and at most `MAX_WORDS` words.

    A segment is roughly a sentence if the engine returned words, else a phrase of the engine. With speaker
    turns, each segment has one speaker. The rewriters change the text of each segment, one after another.
    """
    phrases = [
        _place_phrase(phrase, window, duration_sec)
        for window in recognized
        for phrase in window.recognition.phrases
        if phrase.text.strip()
    ]
    spoken = _split_by_speaker(sorted(phrases, key=_position), turns) if turns else phrases
    sentences = (sentence for part in spoken for sentence in _split_by_sentence(part))
    segments = [segment for sentence in sentences for segment in _rewrite(sentence, rewriters)]
    return tuple(_limit_segments(sorted(segments, key=_position), duration_sec))


def _position(segment: TranscriptSegment) -> tuple[float, int, float]:
    return segment.start_sec, segment.channel, segment.end_sec


# --- times -----------------------------------------------------------------------------------------------------


def _place_phrase(phrase: Phrase, window: RecognizedWindow, duration_sec: float) -> TranscriptSegment:
    """Return the whole phrase as a segment of any length."""
    start = _clamp(window.start_sec + phrase.start_sec, _clamp(window.start_sec, 0.0, duration_sec), duration_sec)
    end = _clamp(window.start_sec + min(phrase.end_sec, window.duration_sec), start, duration_sec)
    return TranscriptSegment(
        channel=window.channel,
        start_sec=start,
        end_sec=end,
        text=" ".join(phrase.text.split()),
        words=tuple(_place_words(phrase.words, window.start_sec, start, end)),
        language=window.recognition.language,
        flags=phrase.flags,
    )


def _place_words(words: Iterable[Word], offset_sec: float, start: float, end: float) -> Iterator[Word]:
    """Shift the words by `offset_sec` and clamp their times, so that words do not overlap."""
    earliest = start
    for word in words:
        if text := word.text.strip():
            word_start = _clamp(offset_sec + word.start_sec, earliest, end)
            word_end = _clamp(offset_sec + word.end_sec, word_start, end)
            yield Word(text, word_start, word_end, word.confidence)
            earliest = word_end


def _clamp(time_sec: float, earliest: float, latest: float) -> float:
    return min(max(milliseconds(time_sec), earliest), latest)


def milliseconds(time_sec: float) -> float:
    return round(float(time_sec), 3)  # float(), because numpy floats cannot be written as JSON


# --- division --------------------------------------------------------------------------------------------------


def _split_by_speaker(
    phrases: Sequence[TranscriptSegment], turns: Sequence[SpeakerTurn]
) -> Iterator[TranscriptSegment]:
    """Divide phrases where the speaker changes. A phrase without words belongs to the speaker of most of its time."""
    spoken = [each.words or (Word(each.text, each.start_sec, each.end_sec),) for each in phrases]
    speakers = iter(assign_speakers([word for words in spoken for word in words], turns))
    for phrase, words in zip(phrases, spoken, strict=True):
        runs = [(speaker, len(list(run))) for speaker, run in groupby(islice(speakers, len(words)))]
        if not phrase.words:
            yield replace(phrase, speaker=runs[0][0])
            continue
        left = iter(words)
        parts = [list(islice(left, count)) for _, count in runs]
        for (speaker, _), segment in zip(runs, _cut(phrase, parts), strict=True):
            yield replace(segment, speaker=speaker)


def _split_by_sentence(phrase: TranscriptSegment) -> Iterator[TranscriptSegment]:
    if not phrase.words:
        yield phrase
        return
    sentences = split_sentences(phrase.words)
    yield from _cut(phrase, [part[at : at + MAX_WORDS] for part in sentences for at in range(0, len(part), MAX_WORDS)])


def _rewrite(segment: TranscriptSegment, rewriters: Sequence[Rewriter]) -> Iterator[TranscriptSegment]:
    for rewriter in rewriters:
        segment = rewriter(segment)
    words = segment.words
    if len(words) <= MAX_WORDS:
        yield segment
    else:
        yield from _cut(segment, [words[at : at + MAX_WORDS] for at in range(0, len(words), MAX_WORDS)])


def _cut(phrase: TranscriptSegment, parts: Sequence[Sequence[Word]]) -> Iterator[TranscriptSegment]:
    """Divide a segment into one segment for each part of its words."""
    for part, text in zip(parts, _texts(phrase.text, parts), strict=True):
        yield replace(phrase, start_sec=part[0].start_sec, end_sec=part[-1].end_sec, text=text, words=tuple(part))


# --- text ------------------------------------------------------------------------------------------------------


def _texts(text: str, parts: Sequence[Sequence[Word]]) -> list[str]:
    """Split the display text where the parts start. If it lacks a word, join the words of each part instead."""
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


# --- limit on the number of segments ---------------------------------------------------------------------------


def _limit_segments(segments: list[TranscriptSegment], duration_sec: float) -> list[TranscriptSegment]:
    """Join segments across increasing gaps in each channel, until at most `MAX_SEGMENTS` remain, if possible.

    At first, segments are joined only if no other speaker speaks in between.
    """
    for by_speaker in (False, True):
        gap_sec = FIRST_GAP_SEC
        while len(segments) > MAX_SEGMENTS and gap_sec < 2 * max(duration_sec, FIRST_GAP_SEC):
            segments = _close_gaps(segments, gap_sec, by_speaker=by_speaker)
            gap_sec *= 2
    return segments


def _close_gaps(segments: list[TranscriptSegment], gap_sec: float, *, by_speaker: bool) -> list[TranscriptSegment]:
    joined: list[TranscriptSegment] = []
    last_of: dict[tuple[int, int | None], int] = {}  # the position of the last segment in `joined`
    for segment in segments:
        key = segment.channel, segment.speaker if by_speaker else None
        at = last_of.get(key)
        if at is not None and _may_join(joined[at], segment, gap_sec):
            joined[at] = _join(joined[at], segment)
        else:
            last_of[key] = len(joined)
            joined.append(segment)
    return joined


def _may_join(first: TranscriptSegment, second: TranscriptSegment, gap_sec: float) -> bool:
    few_words = len(first.words) + len(second.words) <= MAX_WORDS
    are_alike = (first.language, first.flags, first.speaker) == (second.language, second.flags, second.speaker)
    return few_words and are_alike and second.start_sec - first.end_sec <= gap_sec


def _join(first: TranscriptSegment, second: TranscriptSegment) -> TranscriptSegment:
    return replace(
        first,
        end_sec=max(first.end_sec, second.end_sec),
        text=f"{first.text} {second.text}",
        words=first.words + second.words,
    )
