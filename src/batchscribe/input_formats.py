"""The formats of recordings that can be read, and the extensions of their files."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple


class InputFormat(NamedTuple):
    name: str
    title: str  #: in sentences
    extensions: tuple[str, ...]


#: The order in which messages list them.
INPUT_FORMATS = (
    InputFormat("wav", "WAV", ("wav",)),
    InputFormat("mp3", "MP3", ("mp3",)),
    InputFormat("m4a", "M4A", ("m4a", "mp4")),
    InputFormat("flac", "FLAC", ("flac",)),
    InputFormat("ogg", "Ogg", ("ogg", "oga", "opus")),
    # WebM is Matroska with fewer codecs: the same parser reads both.
    InputFormat("webm", "WebM", ("webm", "weba", "mkv", "mka")),
    InputFormat("aac", "AAC", ("aac",)),
)
ALL_NAMES = tuple(each.name for each in INPUT_FORMATS)
TITLES = {each.name: each.title for each in INPUT_FORMATS}
#: Every client of the HTTP interface counts on these (contract 6).
WIRE_NAMES = ("wav", "mp3", "m4a")
NAME_OF_EXTENSION = {extension: each.name for each in INPUT_FORMATS for extension in each.extensions}
_OTHER_NAMES = {"mov": "m4a"}


def canonical_names(words: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the formats, in order, without duplicates; a word is a name or an extension.

    Raises `ValueError` for an unknown word.
    """
    known = NAME_OF_EXTENSION | _OTHER_NAMES
    words = set(words)
    if unknown := sorted(words - known.keys()):
        raise ValueError(f"{unknown[0]} is not an input format; use {', '.join(ALL_NAMES)}")
    named = {known[word] for word in words}
    return tuple(name for name in ALL_NAMES if name in named)


def extensions_of(names: Collection[str]) -> tuple[str, ...]:
    """Return the extensions of these formats, in lower case and without dots."""
    return tuple(extension for each in INPUT_FORMATS if each.name in names for extension in each.extensions)
