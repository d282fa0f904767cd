"""Handmade transcripts for the tests of the formats."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

from batchscribe.transcript.document import Metadata, Transcript
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.window import Word
from batchscribe.wire.config import Config


def transcript(*segments: TranscriptSegment, channels: int = 1, duration_sec: float | None = None) -> Transcript:
    """Return the transcript of a recording that ends 10 s after the last segment. Several channels are separate."""
    return Transcript(
        request_id="req_1",
        duration_sec=max((each.end_sec for each in segments), default=0.0) + 10
        if duration_sec is None
        else duration_sec,
        model="scripted-1",
        channels=channels,
        segments=tuple(sorted(segments, key=lambda each: (each.start_sec, each.channel))),
        config=Config(channel_separation=channels > 1),
        metadata=Metadata("scripted", None, "s3://in/a.wav", None, 7),
    )


def segment(text: str, start_sec: float, end_sec: float, *words: Word, channel: int = 0) -> TranscriptSegment:
    return TranscriptSegment(channel, start_sec, end_sec, text, words)


def spoken(text: str, start_sec: float = 0.0, *, word_sec: float = 0.4, channel: int = 0) -> TranscriptSegment:
    """Return words of `word_sec` each, separated by spaces; "word ...2.5 word" has a pause of 2.5 s."""
    words: list[Word] = []
    now_sec = start_sec
    for part in text.split():
        if part.startswith("..."):
            now_sec += float(part.removeprefix("..."))
            continue
        words.append(Word(part, round(now_sec, 3), round(now_sec + word_sec, 3)))
        now_sec += word_sec
    return segment(
        " ".join(word.text for word in words), words[0].start_sec, words[-1].end_sec, *words, channel=channel
    )


def long_speech(hours: int) -> Transcript:
    """Return a transcript with about 9,000 words an hour, with times and confidences."""
    segments, at_sec = [], 0.0
    while at_sec < 3600 * hours:
        segments.append(spoken("the quick brown fox jumps over a lazy dog and nothing else", at_sec, word_sec=0.35))
        at_sec = segments[-1].end_sec + 0.6
    return replace(transcript(*segments), config=Config(word_time_offsets=True, word_confidence=True))


def characters(text: str, start_sec: float = 0.0, *, word_sec: float = 0.2) -> TranscriptSegment:
    """Return each character as a word, like Whisper in Chinese and Japanese."""
    starts = accumulate((word_sec for _ in text[1:]), initial=start_sec)
    words = [
        Word(character, round(start, 3), round(start + word_sec, 3))
        for character, start in zip(text, starts, strict=True)
    ]
    return segment(text, start_sec, words[-1].end_sec, *words)
