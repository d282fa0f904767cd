"""A transcript as the reader shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from batchscribe.transcript.from_json import label_of, separate_channels
from batchscribe.transcript.stored_document import StoredDocument, StoredSegment
from batchscribe.web.recording_version import version_tag
from batchscribe.window import Flag
from batchscribe.wire.base import JsonObject

FLAGS = [flag.value for flag in Flag]


def view_of_document(document: StoredDocument, names: Mapping[str, str]) -> JsonObject:
    """Return the answer to the route `transcript`. `names` are those that people gave to speakers."""
    channels = separate_channels(document)
    segments = [_segment(segment, channels) for segment in document.segments_or_whole]
    source = _object(document.metadata.get("input"))
    return {
        "duration_sec": document.duration_sec,
        "model": document.model,
        "engine": _text(document.metadata.get("engine")),
        "languages": _languages(document),
        "warnings": _texts(document.metadata.get("warnings")),
        "flags_known": FLAGS,
        "speakers": list_speakers(segments, names),
        "segments": segments,
        "has_words": any(segment["words"] and segment["words"][0][1] is not None for segment in segments),
        "source": "database" if document.is_partial else "transcript",
        "recording_version": version_tag(source.get("etag"), source.get("size_bytes")),
    }


def list_speakers(segments: list[JsonObject], names: Mapping[str, str]) -> list[JsonObject]:
    """Return the speakers in the order in which they first speak. `channel` is None if channels were mixed."""
    found: dict[str, JsonObject] = {}
    for segment in segments:
        if (label := segment["speaker"]) is not None and label not in found:
            found[label] = {"label": label, "name": names.get(label), "channel": segment["channel"]}
    return list(found.values())


def dump(answer: JsonObject) -> bytes:
    """Serialize the answer, its segments one by one, so that other threads get their turns."""
    head = _ENCODER.encode({name: value for name, value in answer.items() if name != "segments"})
    segments = ",".join(map(_ENCODER.encode, answer["segments"]))
    return f'{head[:-1]},"segments":[{segments}]}}'.encode()


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _segment(segment: StoredSegment, channels: int) -> JsonObject:
    return {
        "start": segment.start_sec,
        "end": segment.end_sec,
        "channel": segment.channel,
        "speaker": label_of(segment, channels),
        "text": segment.text,
        "flags": segment.flags,
        "language": segment.language,
        "words": segment.words,
    }


def _languages(document: StoredDocument) -> list[str]:
    """Return the detected languages, or the one of the job."""
    detected = list(_object(document.metadata.get("languages")))
    asked = _object(document.metadata.get("config")).get("language")
    return detected or _texts([asked])


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return next(_kept([value]), None)


def _texts(values: object) -> list[str]:
    return list(_kept(values)) if isinstance(values, list) else []


def _kept(values: list[object]) -> Iterator[str]:
    yield from (value for value in values if isinstance(value, str))
