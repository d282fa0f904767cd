"""Taking URIs apart without changing their meaning.

The key of an `s3://` URI is raw, as AWS tools write it: `%`, `?` and `#` are ordinary characters. The path of a
`file://` URI is percent-encoded (RFC 8089), as `Path.as_uri()` writes it. An `https://` URI may carry a signature in
its query, which belongs to no name and to no message.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

FILE_SCHEME = "file"
HTTP_SCHEMES = ("http", "https")

_EMPTY_PARTS = re.compile(r"/(?:\.?/)+")  # "//" and "/./" are "/" to a file system


def scheme_of(uri: str) -> str:
    """The scheme in lower case; empty when there is none."""
    scheme, separator, _ = uri.partition("://")
    return scheme.lower() if separator else ""


def canonical(uri: str) -> str:
    """The one spelling of a URI: scheme in lower case, a local path percent-encoded as `Path.as_uri()` does."""
    scheme = scheme_of(uri)
    rest = uri[len(scheme) + len("://") :]
    if scheme == FILE_SCHEME:
        path = _EMPTY_PARTS.sub("/", decoded(rest.removeprefix("localhost")))
        rest = encoded(path)
    return f"{scheme}://{rest}"


def decoded(path: str) -> str:
    """A percent-encoded path as text; bytes that are not UTF-8 survive as surrogates, as `os.fsdecode` does it."""
    return unquote(path, errors="surrogateescape")


def encoded(path: str) -> str:
    return quote(path, errors="surrogateescape")


def without_query(uri: str) -> str:
    """An `http(s)` URI without its query and fragment; any other URI as it is."""
    if scheme_of(uri) in HTTP_SCHEMES:
        # Cut before `urlsplit`, which remembers what it was given, signatures and all.
        return urlsplit(uri.partition("#")[0].partition("?")[0]).geturl()
    return uri


def path_of(uri: str) -> str:
    """What follows the bucket or host, decoded: `calls/a b.wav` of `s3://bucket/calls/a b.wav`."""
    return _path_of(without_query(uri))  # what is remembered below has no signature


@lru_cache(64)  # filters, formats and layouts ask for that of the same file in turn
def _path_of(uri: str) -> str:
    scheme = scheme_of(uri)
    _, _, path = uri.partition("://")[2].partition("/")
    return path if scheme == "s3" else decoded(path)


def name_of(uri: str) -> str:
    """The last part of the path, decoded; empty for a folder."""
    return posixpath.basename(path_of(uri))


def extension_of(uri: str) -> str:
    """The extension in lower case without its dot; empty when the name has none: `.wav` is a name, not one."""
    return posixpath.splitext(name_of(uri))[1].lower().removeprefix(".")


def as_folder(uri: str) -> str:
    return uri if uri.endswith("/") else f"{uri}/"


def names_a_file(uri: str) -> bool:
    return name_of(uri) != ""


def looks_like_a_folder(uri: str) -> bool:
    """How a folder is told from a file when nobody says: it ends in `/`, or its last part has no extension."""
    return extension_of(uri) == ""
