"""A transcript as a file to download: the stored object, or rendered from the stored JSON."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from urllib.parse import quote

from batchscribe.errors import ObjectChanged, TranscriptNotFound
from batchscribe.stages.sealed_credentials import OUTPUT
from batchscribe.storage.store import Store
from batchscribe.transcript.as_peaks import dump_peaks
from batchscribe.transcript.formats import FORMATS
from batchscribe.transcript.from_json import transcript_of
from batchscribe.web.block_answers import BLOCK_BYTES
from batchscribe.web.denied_access import explain_denial
from batchscribe.web.reading import FileOfJob, Reading, check_size, check_written
from batchscribe.wire.choices import OutputFormat
from batchscribe.wire.uris import name_of

_TIMED = frozenset({OutputFormat.SRT, OutputFormat.VTT})
MAX_NAME_CHARS = 150


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A version of a stored object. It is opened for each block, so that nothing is open while a client reads."""

    store: Store
    uri: str
    size: int
    etag: str | None

    def read(self, start: int) -> bytes:
        """Return the block at a position. Raises `ObjectChanged`, `StorageError`."""
        with self.store.open(self.uri) as stored:
            if (stored.size, stored.etag) != (self.size, self.etag):
                raise ObjectChanged("The transcript was replaced while it was being sent; download it again.")
            return stored.read(start, BLOCK_BYTES)


@dataclass(frozen=True, slots=True)
class Download:
    """A download, with the values of its headers. `content` is only the first block if the rest is in `stored`."""

    content: bytes
    stored: StoredFile | None
    content_type: str
    disposition: str


def download(reading: Reading, found: FileOfJob, format_: OutputFormat) -> Download:
    """Return the transcript in a format. It is rendered anew if people have given names to its speakers.

    Raises `TranscriptNotFound`, `TranscriptUnreadable`, `StorageError`.
    """
    check_written(found)
    has_names = found.names and format_ is not OutputFormat.PEAKS
    uri = None if has_names else found.output_uri(format_)
    content, rest = (_rendered(reading, found, format_), None) if uri is None else _stored(reading, found, uri)
    return Download(content, rest, FORMATS[format_].content_type, _disposition(found, format_.extension))


def _stored(reading: Reading, found: FileOfJob, uri: str) -> tuple[bytes, StoredFile | None]:
    """Return the first block of an object, and the object if it has more."""
    store = reading.store(found.job, OUTPUT)
    with explain_denial(found.job, OUTPUT, uri), store.open(uri) as stored:
        check_size(stored)
        first = stored.read(0, BLOCK_BYTES)
        return first, StoredFile(store, uri, stored.size, stored.etag) if stored.size > BLOCK_BYTES else None


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
