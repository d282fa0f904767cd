"""The answer to a request for a recording: all of it, a part, or its headers alone (RFC 9110)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from batchscribe.web.byte_range import ByteRange, Unsatisfiable, read_range
from batchscribe.web.open_recordings import PlayedRecording

#: Recordings are private, so no cache may keep them. The browser names a download after the URL.
PRIVATE = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": "inline",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class AudioAnswer:
    """`content` is None if the whole recording of `size` bytes is to be sent."""

    status: HTTPStatus
    headers: Mapping[str, str]
    size: int
    content: bytes | None


def answer_audio(played: PlayedRecording, headers: Mapping[str, str], *, is_head: bool) -> AudioAnswer:
    """Answer a request with these headers. Raises `StorageError`."""
    size = played.source.size
    sent = {**PRIVATE, "Accept-Ranges": "bytes", "Content-Type": played.media_type}
    if played.version is not None:
        sent["ETag"] = played.version
    try:
        part = None if is_head else _wanted(played, headers)
    except Unsatisfiable:
        return AudioAnswer(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, sent | {"Content-Range": f"bytes */{size}"}, size, b""
        )
    if part is None:
        return AudioAnswer(HTTPStatus.OK, sent | {"Content-Length": str(size)}, size, b"" if is_head else None)
    content = played.source.read(part.start, part.end - part.start)
    return AudioAnswer(HTTPStatus.PARTIAL_CONTENT, sent | {"Content-Range": part.content_range(size)}, size, content)


def _wanted(played: PlayedRecording, headers: Mapping[str, str]) -> ByteRange | None:
    """Ignore a range of another version: the client then gets the new one whole."""
    condition = headers.get("if-range")
    if condition is not None and condition.strip() != played.version:
        return None
    return read_range(headers.get("range"), played.source.size)
