"""Parsing of URIs without changing their meaning.

The key of an `s3://`, `gs://` or `az://` URI is raw, as the vendors' tools write it: `%`, `?` and `#` are ordinary
characters. The path of a `file://` URI is percent-encoded (RFC 8089), as `Path.as_uri()` writes it. An `https://` URI
may have a signature in its query, which must appear in no file name and no message.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from urllib.parse import quote, unquote

FILE_SCHEME = "file"
HTTP_SCHEMES = ("http", "https")
ENCODED_SCHEMES = (FILE_SCHEME, *HTTP_SCHEMES)

_EMPTY_PARTS = re.compile(r"/(?:\.?/)+")  # "//" and "/./" are "/" to a file system


def scheme_of(uri: str) -> str:
    """Return the scheme in lower case; empty if there is none."""
    scheme, separator, _ = uri.partition("://")
    return scheme.lower() if separator else ""


def canonical(uri: str) -> str:
    """Return the canonical form: scheme in lower case, a local path percent-encoded as by `Path.as_uri()`."""
    scheme = scheme_of(uri)
    rest = uri[len(scheme) + len("://") :]
    if scheme == FILE_SCHEME:
        path = _EMPTY_PARTS.sub("/", decoded(rest.removeprefix("localhost")))
        rest = encoded(path)
    return f"{scheme}://{rest}"


def decoded(path: str) -> str:
    """Decode a percent-encoded path; bytes that are not UTF-8 become surrogates, as in `os.fsdecode`."""
    return unquote(path, errors="surrogateescape")


def encoded(path: str) -> str:
    return quote(path, errors="surrogateescape")


def without_query(uri: str) -> str:
    """Return an `http(s)` URI without query and fragment; any other URI unchanged."""
    scheme = scheme_of(uri)
    if scheme in HTTP_SCHEMES:
        # Not by `urlsplit`: it refuses some texts, and it caches its argument, in which signatures would stay.
        return scheme + uri.partition("#")[0].partition("?")[0][len(scheme) :]
    return uri


def path_of(uri: str) -> str:
    """Return the decoded path after the bucket or host: `calls/a b.wav` of `s3://bucket/calls/a b.wav`."""
    return _path_of(without_query(uri))  # the cache below must not hold signatures


@lru_cache(64)  # filters, formats and layouts use the path of the same file in turn
def _path_of(uri: str) -> str:
    scheme = scheme_of(uri)
    _, _, path = uri.partition("://")[2].partition("/")
    return decoded(path) if scheme in ENCODED_SCHEMES else path


def name_of(uri: str) -> str:
    """Return the last part of the path, decoded; empty for a folder."""
    return posixpath.basename(path_of(uri))


def extension_of(uri: str) -> str:
    """Return the extension in lower case without the dot; empty if there is none, as in `.wav`."""
    return posixpath.splitext(name_of(uri))[1].lower().removeprefix(".")


def as_folder(uri: str) -> str:
    return uri if uri.endswith("/") else f"{uri}/"


def names_a_file(uri: str) -> bool:
    return name_of(uri) != ""


def looks_like_a_folder(uri: str) -> bool:
    """Return whether the URI ends in `/`, or its last part has no extension. Used to infer the mode of an input."""
    return extension_of(uri) == ""
