"""URIs of storage: `file://` percent-encoded (RFC 8089), `s3://bucket/key` with the key raw, as AWS tools write it."""

from __future__ import annotations

import os
from urllib.parse import quote_from_bytes, unquote_to_bytes

from batchscribe.errors import LocationNotAllowed


def file_uri(path: str) -> str:
    """The same spelling as `Path.as_uri()`; bytes that are no UTF-8 survive. `path` is absolute."""
    return "file://" + quote_path(path)


def quote_path(path: str) -> str:
    return quote_from_bytes(os.fsencode(path))


def path_of(uri: str) -> str:
    """The absolute path behind a `file://` URI, a closing "/" dropped. Raises `LocationNotAllowed`."""
    host, slash, rest = uri.partition("://")[2].partition("/")
    path = os.fsdecode(unquote_to_bytes(slash + rest))
    if host not in ("", "localhost") or not path:
        raise LocationNotAllowed(f"{uri} names no local path; write three slashes, as in file:///data/a.wav.")
    if "\0" in path or ".." in path.split("/"):
        raise LocationNotAllowed(f'{uri} has a ".." or a NUL in its path; name the place itself.')
    return os.path.normpath(path)


def split_s3(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; the key may be empty. Raises `LocationNotAllowed` without a bucket."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    if not bucket:
        raise LocationNotAllowed(f"{uri} names no bucket; write s3://bucket/key.")
    return bucket, key
