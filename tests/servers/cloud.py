"""A bucket service that a test may use, with a client of its own as the second opinion on what it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from batchscribe.storage.access import Access
from batchscribe.storage.schemes import connect
from batchscribe.storage.store import Store


class Cloud(Protocol):
    """The vendor's view of a service."""

    scheme: str

    def access(self) -> Access: ...

    def new_bucket(self, **objects: bytes) -> str:
        """Create a bucket that holds these objects, and return its name."""
        ...

    def put(self, bucket: str, key: str, data: bytes) -> None: ...

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Return all objects by their keys."""
        ...

    def content_type(self, bucket: str, key: str) -> str: ...


@dataclass(frozen=True)
class Bucket:
    """A fresh bucket of one service."""

    cloud: Cloud
    name: str

    def uri(self, key: str) -> str:
        return f"{self.cloud.scheme}://{self.name}/{key}"

    def store(self) -> Store:
        return connect(self.cloud.access())

    @property
    def objects(self) -> dict[str, bytes]:
        return self.cloud.objects(self.name)


NewBucket = Callable[..., Bucket]
