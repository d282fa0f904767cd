"""A transcript from the segments that the database keeps for search, if its JSON cannot be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from batchscribe.jobs.model import File, Job
from batchscribe.jobs.spoken_segment import SpokenSegment
from batchscribe.transcript.stored_document import StoredDocument, StoredSegment
from batchscribe.wire.uris import without_query


def document_of_segments(job: Job, file: File, segments: Sequence[SpokenSegment]) -> StoredDocument:
    is_apart = job.config.channel_separation
    return StoredDocument(
        request_id="",
        duration_sec=file.duration_sec or max((segment.end_sec for segment in segments), default=0.0),
        model=job.model or "",
        text_display=" ".join(segment.text for segment in segments),
        segments=tuple(_segment(segment, is_apart=is_apart) for segment in segments),
        metadata={
            "engine": job.engine,
            "config": job.config.echo(),
            "input": {"uri": without_query(file.input_uri)},
            "speakers": {"seconds": _seconds(segments)},
            "warnings": list(file.warnings),
        },
        is_partial=True,
    )


def _segment(segment: SpokenSegment, *, is_apart: bool) -> StoredSegment:
    channel = segment.channel if is_apart else None
    return StoredSegment(
        segment.start_sec, segment.end_sec, segment.text, channel, segment.speaker, None, flags=(), words=()
    )


def _seconds(segments: Sequence[SpokenSegment]) -> dict[str, float]:
    seconds: defaultdict[str, float] = defaultdict(float)
    for segment in segments:
        if segment.speaker is not None:
            seconds[segment.speaker] += segment.end_sec - segment.start_sec
    return dict(seconds)
