"""Open objects that are read in ranges. Each read requires that the object is unchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from batchscribe.errors import StorageError
from batchscribe.storage.answer_checks import Version
from batchscribe.wire.uris import without_query

#: Fetched on opening. A small recording then needs only one request; a large one needs no extra request.
FIRST_BLOCK_BYTES = 2**20

Fetch = Callable[[int, int, Version], bytes]  #: start, end and required version


class RangedRecording:
    """An open object with its first bytes in memory. It holds no other resources."""

    def __init__(self, uri: str, version: Version, first: bytes, fetch: Fetch) -> None:
        self.uri = uri
        self.size = version.size
        self.etag = version.etag
        self._version = version
        self._first = first
        self._fetch = fetch

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        if end <= len(self._first):
            return self._first[offset:end]
        return self._fetch(offset, end, self._version) if offset < end else b""

    def read_all(self, limit_bytes: int) -> bytes:
        """Return the whole object. Raises `StorageError` if it is larger than the limit."""
        if self.size > limit_bytes:
            raise StorageError(f"{without_query(self.uri)} is larger than {limit_bytes} bytes.")
        return b"".join(self.read(start, FIRST_BLOCK_BYTES) for start in range(0, self.size, FIRST_BLOCK_BYTES))

    def close(self) -> None:
        self._first = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
