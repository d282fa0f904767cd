"""Places as people write them and read them: local paths, and URIs where there is no path."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pydantic_core import PydanticCustomError

from batchscribe.errors import UsageError
from batchscribe.wire.locations import validate_uri
from batchscribe.wire.uris import FILE_SCHEME, path_of, scheme_of, without_query

UNDECODED = re.compile("[\ud800-\udfff]")  #: how Python holds bytes of an argument that are no text


def read_place(argument: str) -> Path | str:
    """A local path, also when it was written as `file://`, or the URI of a place in S3. Raises `UsageError`."""
    if not argument:  # a variable of the shell that is not set; as a path it would be the current folder
        raise UsageError("An empty name was given; name a file, a folder or a URI.")
    if not scheme_of(argument):
        return Path(os.path.expanduser(argument))  # noqa: PTH111 - pathlib raises for the home of nobody
    try:
        uri = validate_uri(argument)
    except PydanticCustomError as error:
        raise UsageError(f"{without_query(argument)}: {error.message()}") from None
    if scheme_of(uri) == FILE_SCHEME:
        return local_path(uri)
    if UNDECODED.search(uri):
        raise UsageError(f"{printable(uri)}: a key in S3 is text in UTF-8.")
    return uri


def local_path(uri: str) -> Path:
    """Of a `file://` URI."""
    return Path("/" + path_of(uri))


def shown(uri: str) -> str:
    """A URI as the user would write it; what could write on a terminal by itself is replaced."""
    return printable(_as_written(uri) if scheme_of(uri) == FILE_SCHEME else uri)


def _as_written(uri: str) -> str:
    path, here = local_path(uri), Path.cwd()
    written = str(path.relative_to(here) if path.is_relative_to(here) else path)
    return f"{written}/" if uri.endswith("/") and not written.endswith("/") else written


def printable(text: str) -> str:
    """Names may hold bytes that are no text, and escape sequences."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
