"""One store for all schemes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from batchscribe.errors import LocationNotAllowed
from batchscribe.storage.store import ObjectInfo, Page, Recording, Store
from batchscribe.wire.uris import scheme_of


def not_supported(uri: str, schemes: Iterable[str]) -> LocationNotAllowed:
    named = f"{scheme_of(uri)}://" if scheme_of(uri) else "A location without a scheme"
    supported = ", ".join(f"{scheme}://" for scheme in schemes)
    return LocationNotAllowed(f"{named} is not supported; use one of {supported}.")


class RoutedStore:
    """A store that selects another store by scheme. Raises `LocationNotAllowed` for an unsupported scheme."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self._stores = stores

    def stat(self, uri: str) -> ObjectInfo:
        return self._store_of(uri).stat(uri)

    def open(self, uri: str) -> Recording:
        return self._store_of(uri).open(uri)

    def list(self, prefix_uri: str, *, after: str | None = None) -> Iterator[Page]:
        return self._store_of(prefix_uri).list(prefix_uri, after=after)

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        return self._store_of(uri).read(uri, limit_bytes=limit_bytes)

    def write(self, uri: str, data: bytes, *, overwrite: bool, content_type: str = "application/json") -> None:
        self._store_of(uri).write(uri, data, overwrite=overwrite, content_type=content_type)

    def check_write(self, beside: str) -> None:
        self._store_of(beside).check_write(beside)

    def _store_of(self, uri: str) -> Store:
        store = self._stores.get(scheme_of(uri))
        if store is None:
            raise not_supported(uri, self._stores)
        return store
