"""What a name alone says: whether it is a recording, and whether it is worth a word at all."""

from __future__ import annotations

from collections.abc import Collection

from batchscribe.wire.uris import extension_of, scheme_of

FORMATS = frozenset({"wav", "mp3", "m4a", "mp4"})  # contract 6
TRANSCRIPT_EXTENSION = "json"


def is_supported(uri: str, extra_formats: Collection[str] = ()) -> bool:
    """By extension, in any case. The content has the last word when the file is opened."""
    extension = extension_of(uri)
    if not extension and scheme_of(uri) == "https":
        return True  # `https://host/download?id=7` has no name to go by
    return extension in FORMATS or extension in extra_formats


def is_of_macos(path: str) -> bool:
    """Whether macOS put it beside a file to keep what other file systems have no place for; never a recording."""
    *folders, name = path.split("/")
    return name.startswith("._") or "__MACOSX" in folders


def is_passed_over(uri: str, size_bytes: int, *, among_outputs: bool) -> bool:
    """Whether an object below a prefix gets neither a row nor a count.

    These are the zero-byte keys that stand for folders and, where the job writes its transcripts among its inputs
    (`layout.writes_among_inputs`), `.json` objects: the transcripts of earlier runs. Without that a second run of
    the same job would tell as many skipped files as there are transcripts.
    """
    if uri.endswith("/"):
        return size_bytes == 0
    return among_outputs and extension_of(uri) == TRANSCRIPT_EXTENSION
