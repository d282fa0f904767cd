"""An in-memory store for tests. It accepts URIs of any scheme."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice
from typing import Self

from batchscribe.errors import ObjectChanged, ObjectNotFound, StorageError
from batchscribe.storage.conditional_writes import output_exists
from batchscribe.storage.store import PAGE_SIZE, ObjectInfo, Page


class MemoryStore:
    """Objects in a dict. `content_types` has the content type of each object."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self._objects: dict[str, tuple[bytes, str]] = {}
        self._writes = 0
        self._lock = threading.Lock()
        self.content_types: dict[str, str] = {}
        for uri, data in (objects or {}).items():
            self.write(uri, data, overwrite=True)

    def stat(self, uri: str) -> ObjectInfo:
        data, etag = self._found(uri)
        return ObjectInfo(uri, len(data), etag)

    def open(self, uri: str) -> MemoryRecording:
        data, etag = self._found(uri)
        return MemoryRecording(self, uri, len(data), etag)

    def list(self, prefix_uri: str, *, after: str | None = None) -> Iterator[Page]:
        prefix = prefix_uri.rstrip("/") + "/"
        with self._lock:
            found = sorted(uri for uri in self._objects if uri.startswith(prefix) and (after is None or uri > after))
        objects = (self.stat(uri) for uri in found if not uri.endswith("/"))
        while page := list(islice(objects, PAGE_SIZE)):
            yield page

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        data, _ = self._found(uri)
        if len(data) > limit_bytes:
            raise StorageError(f"{uri} is larger than {limit_bytes} bytes.")
        return data

    def write(self, uri: str, data: bytes, *, overwrite: bool, content_type: str = "application/json") -> None:
        with self._lock:
            if uri in self._objects and not overwrite:
                raise output_exists(uri)
            self._writes += 1
            self._objects[uri] = (data, f'"{self._writes:x}"')
            self.content_types[uri] = content_type

    def check_write(self, beside: str) -> None:
        """Do nothing: writing is always possible."""

    def delete(self, uri: str) -> None:
        with self._lock:
            del self._objects[uri]

    def _found(self, uri: str) -> tuple[bytes, str]:
        with self._lock:
            if uri not in self._objects:
                raise ObjectNotFound(f"There is no object {uri}.")
            return self._objects[uri]


class MemoryRecording:
    """An object of the dict, pinned to the ETag it had when it was opened."""

    def __init__(self, store: MemoryStore, uri: str, size: int, etag: str) -> None:
        self.uri = uri
        self.size = size
        self.etag = etag
        self._store = store

    def read(self, offset: int, length: int) -> bytes:
        if self._store.stat(self.uri).etag != self.etag:
            raise ObjectChanged(f"{self.uri} was replaced while it was being read; run it again.")
        return self._store.read(self.uri, limit_bytes=self.size)[offset : offset + length]

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
