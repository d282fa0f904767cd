"""A stored transcript: the JSON of `as_json`, parsed and checked. Its storage is not ours, so it may contain anything.

Python holds its global lock while it parses JSON. So segments are parsed one by one: a transcript of ten hours has
several million bytes, and other requests of the same process must not wait for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from batchscribe.errors import TranscriptUnreadable
from batchscribe.wire.base import JsonObject
from batchscribe.wire.untrusted import is_text

MOST_AT_ONCE = 8 * 2**20  #: characters that are parsed in one go
MOST_SEGMENTS = 100_000  #: ten times the limit of our own transcripts
MOST_SEC = 1e8
MAX_NAME_CHARS = 256  #: of speakers, languages and flags
MAX_CHANNEL = 1_000
#: The line breaks of `as_json`. JSON escapes those in strings, so no text contains these lines.
_SEGMENTS, _END, _BETWEEN = '\n  "segments": [', ']},\n "metadata": ', ",\n   "

StoredWord = tuple[str, float | None, float | None, float | None]  #: text, start and end in seconds, confidence


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment as it is stored. `channel` is None unless channels were transcribed separately."""

    start_sec: float
    end_sec: float
    text: str
    channel: int | None
    speaker: str | None
    language: str | None
    flags: tuple[str, ...]
    words: tuple[StoredWord, ...]


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A stored transcript. `segments` is None if it was written without timestamps."""

    request_id: str
    duration_sec: float
    model: str
    text_display: str
    segments: tuple[StoredSegment, ...] | None
    metadata: Mapping[str, Any]
    is_partial: bool = False  #: it does not come from the JSON, and lacks words, flags and languages

    @property
    def segments_or_whole(self) -> tuple[StoredSegment, ...]:
        """The segments. Without timestamps, the whole text is one."""
        if self.segments is not None:
            return self.segments
        text = self.text_display
        whole = StoredSegment(0.0, self.duration_sec, text, None, None, None, flags=(), words=())
        return (whole,) if text else ()


def parse_document(content: bytes) -> StoredDocument:
    """Parse and check a transcript. Raises `TranscriptUnreadable`."""
    try:
        return _document(content.decode())
    except (ValueError, RecursionError, OverflowError):
        raise TranscriptUnreadable(
            "The stored object is not a transcript of batchscribe; check what replaced it."
        ) from None  # the cause may quote the document


def _document(text: str) -> StoredDocument:
    head, has_segments, rest = text.partition(_SEGMENTS)
    body, has_end, metadata = rest.rpartition(_END)
    if has_segments and has_end:
        outer = _object(_parse(f"{head.removesuffix(',')}}}{_END[2:]}{metadata}"))
        raw: Any = [_parse(line) for line in body.split(_BETWEEN)] if body else []
    else:
        outer = _object(_parse(text))
        raw = _object(outer.get("result")).get("segments")
    result = _object(outer.get("result"))
    if raw is not None and len(_list(raw)) > MOST_SEGMENTS:
        raise ValueError("segments")
    return StoredDocument(
        request_id=_text(outer.get("request_id")),
        duration_sec=_seconds(outer.get("duration_sec")),
        model=_text(outer.get("model")),
        text_display=_text(result.get("text_display")),
        segments=None if raw is None else tuple(map(_segment, raw)),
        metadata=_metadata(outer.get("metadata", {})),
    )


def _parse(text: str) -> Any:
    if len(text) > MOST_AT_ONCE:
        raise ValueError("too large to be parsed in one go")
    return _DECODER.decode(text)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_NUMBERS = frozenset({int, float})  # but not bool, which is an int


def _segment(raw: object) -> StoredSegment:
    found = _object(raw)
    start_sec, end_sec = _span(found)
    flags, words, channel = found.get("flags", []), found.get("words", []), found.get("channel")
    if channel is not None and not (type(channel) is int and 0 <= channel <= MAX_CHANNEL):
        raise ValueError("channel")
    return StoredSegment(
        start_sec,
        end_sec,
        _text(found.get("text")),
        channel,
        _name(found.get("speaker")),
        _name(found.get("language")),
        tuple(flag for flag in map(_name, _list(flags)) if flag),
        tuple(map(_word, _list(words))),
    )


def _word(raw: object) -> StoredWord:
    """Check a word, of which a transcript has a hundred thousand."""
    found = _object(raw)
    text, confidence = found.get("word"), found.get("confidence")
    if not isinstance(text, str) or not is_text(text):
        raise ValueError("text")
    if confidence is not None and not (type(confidence) in _NUMBERS and 0 <= confidence <= 1):
        raise ValueError("confidence")
    if "start" not in found:
        return text, None, None, confidence
    start, end = _span(found)
    return text, start, end, confidence


def _span(found: Mapping[str, Any]) -> tuple[float, float]:
    start, end = found.get("start"), found.get("end")
    if type(start) in _NUMBERS and type(end) in _NUMBERS and 0 <= start <= end <= MOST_SEC:  # type: ignore[operator]
        return float(start), float(end)  # type: ignore[arg-type]
    raise ValueError("times")


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and 0 <= value <= MOST_SEC:
        return float(value)
    raise ValueError("seconds")


def _text(value: object) -> str:
    if isinstance(value, str) and is_text(value):
        return value
    raise ValueError("text")


def _name(value: object) -> str | None:
    if value is None:
        return None
    name = _text(value)
    if len(name) > MAX_NAME_CHARS:
        raise ValueError("name")
    return name


def _metadata(value: object) -> JsonObject:
    """Check that all texts can be sent. A JSON text may contain half of a surrogate pair, which no encoding has."""
    found = _object(value)
    json.dumps(found, ensure_ascii=False).encode()
    return found


def _list(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    raise ValueError("list")


def _object(value: object) -> JsonObject:
    if isinstance(value, dict):
        return value
    raise ValueError("object")
