"""Buckets and keys of `s3://`, `gs://` and `az://` URIs. A key is not percent-encoded, as in the vendors' tools."""

from __future__ import annotations

from batchscribe.errors import LocationNotAllowed, ObjectNotFound, StorageError


def split_bucket(uri: str) -> tuple[str, str]:
    """Return bucket and key; the key may be empty. Raises `LocationNotAllowed` if there is no bucket."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if bucket in ("", ".", ".."):
        raise LocationNotAllowed(f"{uri} has no bucket; write {scheme}://bucket/key.")
    return bucket, key


def split_folder(uri: str) -> tuple[str, str]:
    """Return the bucket and the prefix that all keys below this folder have."""
    bucket, prefix = split_bucket(uri)
    return bucket, f"{prefix}/" if prefix and not prefix.endswith("/") else prefix


def checked_key(uri: str) -> str:
    """Return the key of the URI. Raises `StorageError` if it cannot be the key of one object."""
    _, key = split_bucket(uri)
    if not key or key.endswith("/"):
        raise ObjectNotFound(f"{uri} is a folder; name an object in it.")
    if {".", ".."} & set(key.split("/")):
        raise StorageError(f"{uri} has a key that cannot be addressed: '.' or '..' between slashes.")
    return key
