"""The interface of storage to the other packages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

PAGE_SIZE = 1000  #: objects in a page of a listing; the maximum of S3


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """A stored object. `etag` is unchanged from the storage, including quotes."""

    uri: str
    size: int | None  #: in bytes; None if the listing has no valid size
    etag: str | None
    is_link: bool = False  #: a symbolic link below a listed folder; it is not followed
    position: str | None = None  #: continues a listing after this object, if its URI cannot


Page = list[ObjectInfo]  #: at most `PAGE_SIZE` objects


class Recording(Protocol):
    """An open object, pinned to the ETag it had when it was opened. Use it in one thread and in a `with` statement."""

    @property
    def uri(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def etag(self) -> str | None: ...

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer only at the end. Raises `ObjectChanged` if the object changed."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...


class Store(Protocol):
    """Objects under URIs. Every method may raise `StorageError` and is safe to call from several threads."""

    def stat(self, uri: str) -> ObjectInfo:
        """Return the properties of an object. Raises `StorageError`, such as `ObjectNotFound` or `AccessDenied`."""
        ...

    def open(self, uri: str) -> Recording: ...

    def list(self, prefix_uri: str, *, after: str | None = None) -> Iterator[Page]:
        """List all objects under a prefix in a fixed order and in constant memory.

        `after` is the position of the last object already seen, or else its URI: the listing continues after it. Folder
        markers (empty objects whose key ends in "/") are omitted.
        """
        ...

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        """Read a whole object. Raises `StorageError` if it is larger than `limit_bytes`."""
        ...

    def write(self, uri: str, data: bytes, *, overwrite: bool, content_type: str = "application/json") -> None:
        """Write an object atomically.

        Without `overwrite`, raises `OutputExists` and `ConditionalWriteUnsupported`.
        """
        ...

    def check_write(self, beside: str) -> None:
        """Raise the error that every `write` without `overwrite` in the folder of this URI would raise, if detectable.

        Leaves no object behind if deleting is permitted.
        """
        ...


@runtime_checkable
class BucketStore(Store, Protocol):
    """A store of a cloud. Jobs never delete objects: only the doctor does, to clean up after itself."""

    def delete(self, uri: str) -> None:
        """Delete an object; do nothing if there is none."""
        ...
