"""The metadata of stored transcripts, read without their text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

#: The start of these lines in `as_json`. JSON escapes line breaks in text, so no text contains these bytes.
_RESULT, _METADATA = b'\n "result": ', b'\n "metadata": '


@dataclass(frozen=True, slots=True)
class Provenance:
    """The recording that a transcript belongs to. Older releases wrote no `input_uri`."""

    request_id: str
    duration_sec: float
    warnings: tuple[str, ...] = ()
    input_uri: str | None = None
    input_etag: str | None = None
    input_size_bytes: int | None = None


def parse_provenance(content: bytes) -> Provenance | None:
    """Read the metadata of a transcript; None if this is not a transcript."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return _provenance(document) if isinstance(document, dict) else None


def parse_provenance_parts(head: bytes, tail: bytes) -> Provenance | None:
    """Read the first and last bytes of a long transcript; None if it does not have the format of `as_json`."""
    before, result, _ = head.partition(_RESULT)
    _, metadata, after = tail.rpartition(_METADATA)
    return parse_provenance(before + metadata + after) if result and metadata else None


def _provenance(document: dict[str, Any]) -> Provenance | None:
    request_id, duration_sec = document.get("request_id"), document.get("duration_sec")
    if not isinstance(request_id, str) or not isinstance(duration_sec, int | float):
        return None
    metadata = _dict(document.get("metadata"))
    source = _dict(metadata.get("input"))
    uri, etag, size = source.get("uri"), source.get("etag"), source.get("size_bytes")
    warnings = metadata.get("warnings")
    return Provenance(
        request_id=request_id,
        duration_sec=float(duration_sec),
        warnings=tuple(map(str, warnings)) if isinstance(warnings, list) else (),
        input_uri=uri if isinstance(uri, str) else None,
        input_etag=etag if isinstance(etag, str) else None,
        input_size_bytes=size if isinstance(size, int) else None,
    )


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
