"""A stored transcript as a `Transcript`, so that it can be rendered in other formats: the inverse of `as_json`.

What the JSON does not contain is lost: without word times, subtitles get their times from the segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from batchscribe.errors import TranscriptUnreadable
from batchscribe.transcript.document import SIDES, Metadata, Transcript, name_channel, name_speaker
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.transcript.stored_document import StoredDocument, StoredSegment
from batchscribe.window import Flag, Word
from batchscribe.wire.config import Config

MOST_SPEAKERS = 1_000
_FLAGS = {flag.value: flag for flag in Flag}


def separate_channels(document: StoredDocument) -> int:
    """Return the number of channels that were transcribed separately, 1 if they were not."""
    channels = _object(document.metadata).get("channels")
    if isinstance(channels, int) and not isinstance(channels, bool):
        return max(1, min(channels, 1_000))
    segments = document.segments or ()
    if any(segment.speaker in SIDES for segment in segments):
        return len(SIDES)
    return 1 + max((segment.channel or 0 for segment in segments), default=0)


def label_of(segment: StoredSegment, channels: int) -> str | None:
    """Return the label in subtitles and plain text, like `Transcript.label`."""
    if segment.speaker is not None or segment.channel is None or channels == 1:
        return segment.speaker
    return name_channel(segment.channel)


def transcript_of(document: StoredDocument, names: Mapping[str, str]) -> Transcript:
    """`names` are those that people gave to speakers, by label. Raises `TranscriptUnreadable`."""
    metadata = document.metadata
    try:
        config = Config.model_validate(metadata.get("config", {}))
    except ValidationError:
        raise TranscriptUnreadable(
            "The transcript was written by another release with options that this one does not know; transcribe the "
            "recording again."
        ) from None
    numbers = {name_speaker(number): number for number in range(1, MOST_SPEAKERS + 1)}
    return Transcript(
        request_id=document.request_id,
        duration_sec=document.duration_sec,
        model=document.model,
        channels=separate_channels(document),
        segments=tuple(_segment(segment, numbers) for segment in document.segments_or_whole),
        config=config,
        metadata=_metadata(metadata),
        speakers=_seconds_of_speakers(metadata, numbers),
        names=names,
    )


def _segment(segment: StoredSegment, numbers: Mapping[str, int]) -> TranscriptSegment:
    return TranscriptSegment(
        channel=segment.channel or 0,
        start_sec=segment.start_sec,
        end_sec=segment.end_sec,
        text=segment.text,
        words=tuple(_words(segment)),
        language=segment.language,
        flags=tuple(_FLAGS[flag] for flag in segment.flags if flag in _FLAGS),
        speaker=numbers.get(segment.speaker or ""),
    )


def _words(segment: StoredSegment) -> Iterator[Word]:
    """Yield the words. Those without times share the time of their segment."""
    step_sec = (segment.end_sec - segment.start_sec) / max(1, len(segment.words))
    for number, (text, start_sec, end_sec, confidence) in enumerate(segment.words):
        at_sec = segment.start_sec + number * step_sec
        yield Word(
            text,
            at_sec if start_sec is None else start_sec,
            at_sec + step_sec if end_sec is None else end_sec,
            confidence,
        )


def _metadata(metadata: Mapping[str, Any]) -> Metadata:
    source, revision = _object(metadata.get("input")), metadata.get("revision")
    uri, etag, size = source.get("uri"), source.get("etag"), source.get("size_bytes")
    warnings = metadata.get("warnings")
    return Metadata(
        engine=str(metadata.get("engine", "")),
        revision=revision if isinstance(revision, str) else None,
        input_uri=uri if isinstance(uri, str) else "",
        input_etag=etag if isinstance(etag, str) else None,
        input_size_bytes=size if isinstance(size, int) else 0,
        languages=_numbers(metadata.get("languages")),
        warnings=tuple(map(str, warnings)) if isinstance(warnings, list) else (),
    )


def _seconds_of_speakers(metadata: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[int, float]:
    seconds = _numbers(_object(metadata.get("speakers")).get("seconds"))
    return {numbers[name]: sec for name, sec in seconds.items() if name in numbers}


def _numbers(value: object) -> dict[str, float]:
    return {name: float(number) for name, number in _object(value).items() if isinstance(number, int | float)}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
