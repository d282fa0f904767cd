"""Where the transcript of each recording goes (contract 5)."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from itertools import count

from batchscribe.errors import OutputNameTooLong
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.uris import FILE_SCHEME, as_folder, encoded, name_of, path_of, scheme_of

SUFFIX = ".json"
MAX_KEY_BYTES = 1_024  #: of S3
MAX_NAME_BYTES = 255  #: of each folder and file on the usual file systems


def planned_output(input_uri: str, source: Source, layout: OutputLayout, output_uri: str) -> str:
    """The transcript's URI before collisions are settled; `OutputNames` settles them.

    `output_uri` is the job's own; ADJACENT needs none. In layout PREFIX a file keeps its folders below its prefix; a
    file that was named by itself keeps its name alone.
    """
    if layout is OutputLayout.SINGLE:
        return output_uri
    if layout is OutputLayout.ADJACENT:
        folder, _, _ = input_uri.rpartition("/")
        return f"{folder}/{_spelled(_stem(name_of(input_uri)) + SUFFIX, input_uri)}"
    return as_folder(output_uri) + _spelled(_stem(source.path_of(input_uri)) + SUFFIX, output_uri)


def writes_among_inputs(source: Source, layout: OutputLayout, output_uri: str) -> bool:
    """Whether a listing of this source can meet the job's own transcripts."""
    if source.kind is SourceKind.FILE:
        return False
    return layout is OutputLayout.ADJACENT or as_folder(output_uri).startswith(source.uri)


def names_for(output_uri: str, input_uri: str) -> Iterator[str]:
    """Every name that this recording may have, in the folder of one of them.

    `a.json` for `a.wav`, then `a.wav.json`, and for more recordings of that name `a.wav-2.json`, `a.wav-3.json`.
    """
    folder, _, _ = output_uri.rpartition("/")
    name = name_of(input_uri)
    plain, whole = f"{folder}/{_spelled(_stem(name), output_uri)}", f"{folder}/{_spelled(name, output_uri)}"
    yield plain + SUFFIX
    if whole != plain:
        yield whole + SUFFIX
    for number in count(2):
        yield f"{whole}-{number}{SUFFIX}"


def fits(output_uri: str) -> bool:
    """Whether the storage takes so long a name."""
    path = path_of(output_uri)
    if scheme_of(output_uri) != FILE_SCHEME:
        return _n_bytes(path) <= MAX_KEY_BYTES
    return all(_n_bytes(part) <= MAX_NAME_BYTES for part in path.split("/"))


def too_long(output_uri: str) -> OutputNameTooLong:
    if scheme_of(output_uri) == FILE_SCHEME:
        limit = f"a name with more than {MAX_NAME_BYTES} bytes"
    else:
        limit = f"a key with more than {MAX_KEY_BYTES} bytes"
    return OutputNameTooLong(f"The transcript would have {limit}; shorten the recording's name or the output's URI.")


def _n_bytes(text: str) -> int:
    return len(text.encode(errors="surrogateescape"))


class OutputNames:
    """Hands out output URIs so that no two files of a job share one and no input is written over.

    Whoever comes first keeps the plain name, the others get the next ones of `names_for`. What lies under these names
    is looked at when the work on a file begins: see `batchscribe.work.naming`.
    """

    def __init__(self, is_taken: Callable[[str], bool]) -> None:
        """`is_taken` knows the inputs, and the outputs handed out by others before."""
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
        # Kept between calls: ten thousand files of one name must not try ten thousand numbers each.
        whole_name = f"{planned.rpartition('/')[0]}/{name_of(input_uri)}"
        if whole_name not in self._left:
            self._left[whole_name] = names_for(planned, input_uri)
        return self._left[whole_name]


def _stem(path: str) -> str:
    return posixpath.splitext(path)[0]


def _spelled(path: str, uri: str) -> str:
    """A decoded relative path as it is written in a URI of the same scheme as `uri`."""
    if scheme_of(uri) != FILE_SCHEME:
        return path.encode(errors="surrogateescape").decode(errors="replace")
    # An S3 key may hold parts that mean something else to a file system.
    return encoded("/".join(part for part in path.split("/") if part not in ("", ".", "..")))
