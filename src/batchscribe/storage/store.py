"""The seam: what the other rooms know of storage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

PAGE_SIZE = 1000  #: objects in one page of a listing; S3 gives no more at once.


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One stored object; `etag` as the storage spells it, with its quotes."""

    uri: str
    size: int | None  #: in bytes; None where a listing says nothing that can be a size
    etag: str | None
    is_link: bool = False  #: a symbolic link below a listed folder, which nobody follows


Page = list[ObjectInfo]  #: at most `PAGE_SIZE` objects


class Recording(Protocol):
    """An open object, pinned to the ETag it had when it was opened. Used from one thread, closed by its `with`."""

    @property
    def uri(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def etag(self) -> str | None: ...

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`; fewer only at the end. Raises `ObjectChanged` when it is another by now."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...


class Store(Protocol):
    """Objects under URIs. Every method may raise `StorageError` and is safe to call from several threads."""

    def stat(self, uri: str) -> ObjectInfo:
        """Raises `ObjectNotFound`, `AccessDenied` and the other kinds of `StorageError`."""
        ...

    def open(self, uri: str) -> Recording: ...

    def list(self, prefix_uri: str, *, after: str | None = None) -> Iterator[Page]:
        """Everything under a prefix in pages of at most `PAGE_SIZE`, in one total order, in flat memory.

        `after` is the URI of the last object already seen: the listing goes on behind it. Folder markers (empty
        objects whose key ends in "/") are left out.
        """
        ...

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        """A small object, whole. Raises `StorageError` when it is larger than `limit_bytes`."""
        ...

    def write(self, uri: str, data: bytes, *, overwrite: bool, content_type: str = "application/json") -> None:
        """Store `data` whole or not at all.

        Without `overwrite` it raises `OutputExists` and `ConditionalWriteUnsupported`.
        """
        ...

    def check_write(self, beside: str) -> None:
        """Raises what would refuse every `write` without `overwrite` in the folder of this URI, if that can be known.

        Nothing is left there.
        """
        ...
