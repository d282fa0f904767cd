"""A transcript from the text that the database keeps for search or from subtitles, if its JSON cannot be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from batchscribe.jobs.model import File, Job
from batchscribe.jobs.spoken_segment import SpokenSegment
from batchscribe.transcript.stored_document import StoredDocument, StoredSegment
from batchscribe.wire.uris import without_query


def searchable_segments(segments: Sequence[SpokenSegment], *, is_apart: bool) -> tuple[StoredSegment, ...]:
    """Return segments of the database. They name a channel only if channels were transcribed separately."""
    return tuple(
        StoredSegment(
            each.start_sec,
            each.end_sec,
            each.text,
            each.channel if is_apart else None,
            each.speaker,
            None,
            flags=(),
            words=(),
        )
        for each in segments
    )


def document_of_segments(job: Job, file: File, segments: Sequence[StoredSegment]) -> StoredDocument:
    return StoredDocument(
        request_id="",
        duration_sec=file.duration_sec or max((segment.end_sec for segment in segments), default=0.0),
        model=job.model or "",
        text_display=" ".join(segment.text for segment in segments),
        segments=tuple(segments),
        metadata={
            "engine": job.engine,
            "config": job.config.echo(),
            "input": {"uri": without_query(file.input_uri)},
            "speakers": {"seconds": _seconds(segments)},
            "warnings": list(file.warnings),
        },
        is_partial=True,
    )


def _seconds(segments: Sequence[StoredSegment]) -> dict[str, float]:
    seconds: defaultdict[str, float] = defaultdict(float)
    for segment in segments:
        if segment.speaker is not None:
            seconds[segment.speaker] += segment.end_sec - segment.start_sec
    return dict(seconds)
