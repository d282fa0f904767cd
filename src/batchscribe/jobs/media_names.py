"""Decisions based on a file's name alone: whether it is a recording, and whether to ignore it."""

from __future__ import annotations

from collections.abc import Collection

from batchscribe.input_formats import NAME_OF_EXTENSION
from batchscribe.jobs.layout import TRANSCRIPT_EXTENSIONS
from batchscribe.wire.choices import OutputFormat
from batchscribe.wire.uris import extension_of, scheme_of

UNMISTAKABLE = TRANSCRIPT_EXTENSIONS - {".txt"}  #: extensions that only transcripts have


def is_supported(uri: str, input_formats: Collection[str]) -> bool:
    """Return whether the extension, in any case, is that of one of the formats. Decoding checks the content."""
    extension = extension_of(uri)
    if not extension and scheme_of(uri) == "https":
        return True  # a URL like `https://host/download?id=7` has no extension
    return NAME_OF_EXTENSION.get(extension) in input_formats


def is_macos_metadata(path: str) -> bool:
    """Return whether macOS created the file to store metadata that the file system does not support."""
    *folders, name = path.split("/")
    return name.startswith("._") or "__MACOSX" in folders


def is_ignored(uri: str, size_bytes: int, *, transcript_extensions: Collection[str] = ()) -> bool:
    """Return whether an object below a prefix is ignored: it gets no row and is not counted.

    These are zero-byte keys that represent folders and, if the job writes its transcripts among its inputs
    (`layout.writes_among_inputs`), transcripts. Otherwise, a second run of the same job would report every transcript
    as a skipped file.
    """
    if uri.endswith("/"):
        return size_bytes == 0
    return f".{extension_of(uri)}" in transcript_extensions


def transcript_extensions(formats: Collection[OutputFormat]) -> frozenset[str]:
    """Return the extensions of transcripts, also of earlier jobs.

    Notes have `.txt` too, so it is one of them only if this job writes it.
    """
    return UNMISTAKABLE | {each.extension for each in formats}
