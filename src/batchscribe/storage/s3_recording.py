"""One open object of S3: ranged reads, each on condition that the object is still the one that was opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import obstore
from obstore.exceptions import GenericError
from obstore.store import S3Store

from batchscribe.storage.s3_errors import answer_in, status_of

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

#: Fetched on opening: a small recording then costs one request, a large one none more than it would.
FIRST_BLOCK_BYTES = 2**20
_EMPTY_OBJECT = 416  #: no range can be satisfied in an object without bytes

Fetch = Callable[[int, int, str | None], bytes]  #: start, end, ETag to hold to


class S3Recording:
    """Holds the object's first bytes and nothing that needs closing."""

    def __init__(self, uri: str, meta: ObjectMeta, first: bytes, fetch: Fetch) -> None:
        self.uri = uri
        self.size = meta["size"]
        self.etag = meta["e_tag"]
        self._first = first
        self._fetch = fetch

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        if end <= len(self._first):
            return self._first[offset:end]
        return self._fetch(offset, end, self.etag) if offset < end else b""

    def close(self) -> None:
        self._first = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def first_bytes(store: S3Store, path: str, length: int) -> tuple[ObjectMeta, bytes]:
    """What the object is, and how it starts. A GET and not a HEAD: only its refusals say why."""
    try:
        answer = obstore.get(store, path, options={"range": (0, length)})
        return answer.meta, bytes(answer.bytes())
    except GenericError as error:
        if status_of(answer_in(error)) != _EMPTY_OBJECT:
            raise
    return obstore.head(store, path), b""


def bytes_between(store: S3Store, path: str, start: int, end: int, etag: str | None) -> bytes:
    options: GetOptions = {"range": (start, end)}
    if etag is not None:
        options["if_match"] = etag
    return bytes(obstore.get(store, path, options=options).bytes())
