"""One store for all schemes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from batchscribe.errors import LocationNotAllowed
from batchscribe.storage.access import Access
from batchscribe.storage.local import FileStore
from batchscribe.storage.roots import Roots, split_s3
from batchscribe.storage.s3 import BucketStore
from batchscribe.storage.store import ObjectInfo, Page, Recording, Store
from batchscribe.storage.web import WebStore, check_web_url
from batchscribe.wire.uris import scheme_of

SCHEMES = ("s3", "https", "file")


def connect(access: Access) -> Store:
    """Return a store for all schemes without sending a request. Raises `InvalidSetting` for an unusable S3 endpoint."""
    web = WebStore(access.http_policy, access.signed_urls, patience_sec=access.patience_sec)
    return RoutedStore({"file": FileStore(access.file_roots), "s3": BucketStore(access), "https": web})


def location_check(access: Access) -> Callable[[str], None]:
    """Return a function that checks a URI without a request to the storage. It raises `LocationNotAllowed`.

    It checks the scheme, the roots, the bucket and the host of the URL.
    """
    roots = Roots(access.file_roots)

    def check(uri: str) -> None:
        scheme = scheme_of(uri)
        if scheme == "file":
            roots.place(uri)
        elif scheme == "s3":
            split_s3(uri)
        elif scheme == "https":
            check_web_url(uri, access.http_policy)
        else:
            raise not_served(uri)

    return check


def not_served(uri: str) -> LocationNotAllowed:
    named = f"{scheme_of(uri)}://" if scheme_of(uri) else "a location without a scheme"
    served = ", ".join(f"{scheme}://" for scheme in SCHEMES)
    return LocationNotAllowed(f"{named} is not supported here; use one of {served}.")


class RoutedStore:
    """A store that selects another store by scheme. Raises `LocationNotAllowed` for an unsupported scheme."""

    def __init__(self, stores: dict[str, Store]) -> None:
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
            raise not_served(uri)
        return store
