"""Places as people write them and read them: local paths, and URIs where there is no path."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pydantic_core import PydanticCustomError

from batchscribe.cli.present.console import format_text, local_path
from batchscribe.errors import UsageError
from batchscribe.wire.locations import validate_uri
from batchscribe.wire.uris import FILE_SCHEME, scheme_of, without_query

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
        raise UsageError(f"{format_text(uri)}: a key in S3 is text in UTF-8.")
    return uri
