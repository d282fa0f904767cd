"""Output URIs: where the transcript of each recording is stored (contract 5)."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from batchscribe.errors import OutputNameTooLong
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.wire.choices import OutputFormat, OutputLayout
from batchscribe.wire.uris import FILE_SCHEME, as_folder, encoded, name_of, path_of, scheme_of

#: Of the files of all formats.
TRANSCRIPT_EXTENSIONS = frozenset(each.extension for each in OutputFormat)
MAX_KEY_BYTES = 1_024  #: the S3 limit
MAX_NAME_BYTES = 255  #: the limit of common file systems for each folder and file name


def planned_output(input_uri: str, source: Source, layout: OutputLayout, output_uri: str, extension: str) -> str:
    """Return the transcript's URI before collisions are resolved, which `OutputNames` does.

    `output_uri` is that of the job; ADJACENT does not need it. `extension` is that of the format, with its dot. In
    layout PREFIX, a file from a prefix keeps its folders below the prefix; a file from a manifest keeps only its name.
    """
    if layout is OutputLayout.SINGLE:
        return output_uri
    if layout is OutputLayout.ADJACENT:
        folder, _, _ = input_uri.rpartition("/")
        return f"{folder}/{_spelled(_stem(name_of(input_uri)) + extension, input_uri)}"
    return as_folder(output_uri) + _spelled(_stem(source.path_of(input_uri)) + extension, output_uri)


def writes_among_inputs(source: Source, layout: OutputLayout, output_uri: str) -> bool:
    """Return whether a listing of this source can contain the job's own transcripts."""
    if source.kind is SourceKind.FILE:
        return False
    return layout is OutputLayout.ADJACENT or as_folder(output_uri).startswith(source.uri)


def names_for(output_uri: str, input_uri: str) -> Iterator[str]:
    """Yield every possible transcript URI of this recording, in the folder of `output_uri`, in order of preference.

    `a.json` for `a.wav`, then `a.wav.json`, and for more recordings of that name `a.wav-2.json`, `a.wav-3.json`.
    """
    folder, _, planned = output_uri.rpartition("/")
    name, extension = name_of(input_uri), posixpath.splitext(planned)[1]
    plain, whole = f"{folder}/{_spelled(_stem(name), output_uri)}", f"{folder}/{_spelled(name, output_uri)}"
    yield plain + extension
    if whole != plain:
        yield whole + extension
    for number in count(2):
        yield f"{whole}-{number}{extension}"


def output_uris(output_uri: str, formats: Sequence[OutputFormat]) -> tuple[str, ...]:
    """One for each format; `output_uri` is that of the first. They share their folder and stem."""
    return output_uri, *(f"{stem_of(output_uri)}{each.extension}" for each in formats[1:])


def stem_of(output_uri: str) -> str:
    """Without the extension of a format."""
    stem, extension = posixpath.splitext(output_uri)
    return stem if extension.lower() in TRANSCRIPT_EXTENSIONS else output_uri


def fits(output_uri: str) -> bool:
    """Return whether the URI is within the length limits of the storage."""
    path = path_of(output_uri)
    if scheme_of(output_uri) != FILE_SCHEME:
        return _n_bytes(path) <= MAX_KEY_BYTES
    return all(_n_bytes(part) <= MAX_NAME_BYTES for part in path.split("/"))


def too_long(output_uri: str) -> OutputNameTooLong:
    if scheme_of(output_uri) == FILE_SCHEME:
        limit = f"a name with more than {MAX_NAME_BYTES} bytes"
    else:
        limit = f"a key with more than {MAX_KEY_BYTES} bytes"
    return OutputNameTooLong(f"The transcript would have {limit}; shorten the recording's name or the output URI.")


def _n_bytes(text: str) -> int:
    return len(text.encode(errors="surrogateescape"))


class OutputNames:
    """Assigns output URIs, so that no two files of a job share one and no input is overwritten.

    The first file gets the plain name; the others get the next ones from `names_for`. Existing objects under these
    names are checked when a file is processed: see `batchscribe.stages.naming`.
    """

    def __init__(self, is_taken: Callable[[str], bool]) -> None:
        """`is_taken` returns whether a URI is an input, or an output that was assigned elsewhere."""
        self._is_taken = is_taken
        self._claimed: set[str] = set()
        self._left: dict[str, Iterator[str]] = {}

    def claim(self, planned: str, input_uri: str) -> str:
        name = planned if self.is_free(planned) else next(filter(self.is_free, self._others(planned, input_uri)))
        self._claimed.add(name)
        return name

    def is_free(self, uri: str) -> bool:
        return uri not in self._claimed and not self._is_taken(uri)

    def _others(self, planned: str, input_uri: str) -> Iterator[str]:
        # Kept between calls, so that ten thousand files with one name do not each try ten thousand numbers.
        whole_name = f"{planned.rpartition('/')[0]}/{name_of(input_uri)}"
        if whole_name not in self._left:
            self._left[whole_name] = names_for(planned, input_uri)
        return self._left[whole_name]


def _stem(path: str) -> str:
    return posixpath.splitext(path)[0]


def _spelled(path: str, uri: str) -> str:
    """Encode a decoded relative path for a URI with the scheme of `uri`."""
    if scheme_of(uri) != FILE_SCHEME:
        return path.encode(errors="surrogateescape").decode(errors="replace")
    # An S3 key may contain parts that have a special meaning in a file system.
    return encoded("/".join(part for part in path.split("/") if part not in ("", ".", "..")))
