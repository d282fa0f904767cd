"""A transcript as a file to download: the stored object, or rendered from the stored JSON."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from urllib.parse import quote

from batchscribe.errors import TranscriptNotFound
from batchscribe.stages.sealed_credentials import OUTPUT
from batchscribe.transcript.as_peaks import dump_peaks
from batchscribe.transcript.formats import FORMATS
from batchscribe.transcript.from_json import transcript_of
from batchscribe.web.denied_access import explain_denial
from batchscribe.web.reading import FileOfJob, Reading, check_written, read_whole
from batchscribe.wire.choices import OutputFormat
from batchscribe.wire.uris import name_of

_TIMED = frozenset({OutputFormat.SRT, OutputFormat.VTT})
MAX_NAME_CHARS = 150


@dataclass(frozen=True, slots=True)
class Download:
    """The content of a download, with the values of its headers."""

    content: bytes
    content_type: str
    disposition: str


def download(reading: Reading, found: FileOfJob, format_: OutputFormat) -> Download:
    """Return the transcript in a format. It is rendered anew if people have given names to its speakers.

    Raises `TranscriptNotFound`, `TranscriptUnreadable`, `StorageError`.
    """
    check_written(found)
    has_names = found.names and format_ is not OutputFormat.PEAKS
    uri = None if has_names else found.output_uri(format_)
    content = _rendered(reading, found, format_) if uri is None else _stored(reading, found, uri)
    return Download(content, FORMATS[format_].content_type, _disposition(found, FORMATS[format_].extension))


def _stored(reading: Reading, found: FileOfJob, uri: str) -> bytes:
    with explain_denial(found.job, OUTPUT, uri), reading.store(found.job, OUTPUT).open(uri) as stored:
        return read_whole(stored)


def _rendered(reading: Reading, found: FileOfJob, format_: OutputFormat) -> bytes:
    if format_ is OutputFormat.PEAKS:
        return dump_peaks(reading.peaks(found))
    with reading.document(found) as document:
        if document.segments is None and format_ in _TIMED:
            raise TranscriptNotFound(
                f"The transcript of {found.file.file_id} was written without times; download txt instead."
            )
        return FORMATS[format_].render(transcript_of(document, found.names))


def _disposition(found: FileOfJob, extension: str) -> str:
    """Return `Content-Disposition` (RFC 6266). The name of a recording may contain anything."""
    stem = posixpath.splitext(name_of(found.file.input_uri))[0][:MAX_NAME_CHARS] or found.file.file_id
    name = "".join(character if character.isprintable() and character not in '/\\"' else "_" for character in stem)
    plain = "".join(character if character.isascii() else "_" for character in name)
    encoded = quote(name + extension, safe="", errors="replace")
    return f"attachment; filename=\"{plain}{extension}\"; filename*=UTF-8''{encoded}"
