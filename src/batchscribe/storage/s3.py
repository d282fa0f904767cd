"""`s3://`: buckets of AWS or of any service that speaks its protocol, through obstore."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import BaseError, InvalidPathError
from obstore.store import S3Store

from batchscribe.errors import ObjectNotFound, StorageError, WrongRegion
from batchscribe.storage.access import Access
from batchscribe.storage.ranged_recording import FIRST_BLOCK_BYTES, RangedRecording
from batchscribe.storage.s3_address import AWS, DEFAULT_REGION, bucket_url, checked_endpoint, region_of, split_folder
from batchscribe.storage.s3_client import s3_client
from batchscribe.storage.s3_errors import s3_error
from batchscribe.storage.s3_listing import ExactPage, fetch_page, listing_query, signed_url
from batchscribe.storage.s3_recording import bytes_between, first_bytes
from batchscribe.storage.store import PAGE_SIZE, ObjectInfo, Page
from batchscribe.storage.uris import split_s3

if TYPE_CHECKING:
    from obstore import Attributes, ObjectMeta, PutMode

    Metas = Sequence[ObjectMeta]

Answer = TypeVar("Answer")

KEPT_STORES = 16  #: open buckets of one job side; each holds a connection pool.
FAILURES = (BaseError, OSError, ValueError)  #: everything that obstore raises


class BucketStore:
    """One job side's view of S3."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._aws = access.aws
        self._has_token = bool(access.aws and access.aws.session_token)
        self._endpoint = checked_endpoint(access)
        self._regions: dict[str, str] = {}
        self._stores: OrderedDict[tuple[str, str, str], S3Store] = OrderedDict()
        self._lock = threading.Lock()

    def stat(self, uri: str) -> ObjectInfo:
        meta, _ = self._ask(uri, lambda store, path: first_bytes(store, path, 1))
        return ObjectInfo(uri, meta["size"], meta["e_tag"])

    def open(self, uri: str) -> RangedRecording:
        def fetch(start: int, end: int, etag: str | None) -> bytes:
            return self._ask(uri, lambda store, path: bytes_between(store, path, start, end, etag))

        meta, first = self._ask(uri, lambda store, path: first_bytes(store, path, FIRST_BLOCK_BYTES))
        return RangedRecording(uri, meta["size"], meta["e_tag"], first, fetch)

    def list(self, prefix_uri: str, *, after: str | None = None) -> Iterator[Page]:
        """In the byte order of the keys, as the service lists them."""
        return filter(None, self._pages(prefix_uri, after))

    def _pages(self, prefix_uri: str, after: str | None) -> Iterator[Page]:
        bucket, prefix = split_s3(prefix_uri)
        last = split_s3(after)[1] if after else None
        page, stream = self._ask(prefix_uri, lambda store, _path: _start_listing(store, prefix, last))
        while page:
            last = page[-1]["path"]
            yield [info for info in _objects(bucket, page) if not self._is_folder_marker(info)]
            page = self._ask(prefix_uri, lambda _store, _path: _next_page(stream))
        if page is None:
            yield from self._exact_list(bucket, prefix, last)

    def _exact_list(self, bucket: str, prefix: str, last: str | None) -> Iterator[Page]:
        more = True
        while more:
            page = self._exact_page(bucket, f"{prefix}/" if prefix and not prefix.endswith("/") else prefix, last)
            yield page.objects
            last, more = page.last_key, page.last_key is not None

    def _exact_page(self, bucket: str, prefix: str, after: str | None) -> ExactPage:
        query, uri = listing_query(prefix, after), f"s3://{bucket}/{prefix}"

        def fetch(region: str) -> ExactPage:
            url = signed_url(self._connect(bucket, query, region)) if self._aws else self._url(bucket, region) + query
            return fetch_page(url, bucket, uri, has_token=self._has_token)

        return self._where_it_is(uri, fetch)

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        with self.open(uri) as recording:
            if recording.size > limit_bytes:
                raise StorageError(f"{uri} is larger than {limit_bytes} bytes.")
            return recording.read(0, recording.size)

    def write(self, uri: str, data: bytes, *, overwrite: bool, content_type: str = "application/json") -> None:
        def put(store: S3Store, path: str) -> None:
            mode: PutMode = "overwrite" if overwrite else "create"
            attributes: Attributes = {"Content-Type": content_type}
            obstore.put(store, path, data, mode=mode, attributes=attributes, use_multipart=False)

        self._ask(uri, put)

    def delete(self, uri: str) -> None:
        """For the doctor, which clears up after itself; jobs delete nothing."""
        self._ask(uri, lambda store, path: obstore.delete(store, path))

    def _ask(self, uri: str, request: Callable[[S3Store, str], Answer]) -> Answer:
        bucket, key = split_s3(uri)
        folder, path = split_folder(key)
        return self._where_it_is(uri, lambda region: request(self._store(bucket, folder, region), path))

    def _where_it_is(self, uri: str, ask: Callable[[str], Answer]) -> Answer:
        """Ask in the region the bucket is thought to be in and, when the storage names another, once more there."""
        bucket, _ = split_s3(uri)
        region = self._region(bucket)
        try:
            return self._told(uri, region, ask)
        except WrongRegion as refusal:
            elsewhere = refusal.region or region_of(bucket, self._endpoint or AWS)
            if elsewhere in (None, region):
                raise
        self._regions[bucket] = elsewhere
        return self._told(uri, elsewhere, ask)

    def _told(self, uri: str, region: str, ask: Callable[[str], Answer]) -> Answer:
        """In our own errors."""
        try:
            return ask(region)
        except FAILURES as error:
            refusal = s3_error(error, uri, has_token=self._has_token)
        try:
            raise refusal  # outside of the except block: obstore's own text must not come along in a traceback
        finally:
            del refusal  # or it and this frame would keep each other, and the key

    def _region(self, bucket: str) -> str:
        known = self._regions.get(bucket) or (self._aws and self._aws.region) or self._access.s3_region
        if not known:
            known = DEFAULT_REGION if self._endpoint else region_of(bucket) or DEFAULT_REGION
            self._regions[bucket] = known
        return known

    def _url(self, bucket: str, region: str) -> str:
        return bucket_url(bucket, endpoint=self._endpoint, region=region, path_style=self._access.s3_path_style)

    def _store(self, bucket: str, folder: str, region: str) -> S3Store:
        """Not by `lru_cache`, which would hold this object in a circle: the key is to go when the job does."""
        named = bucket, folder, region
        with self._lock:
            store = self._stores.get(named)
            if store is None:
                store = self._stores[named] = self._connect(*named)
            self._stores.move_to_end(named)
            while len(self._stores) > KEPT_STORES:
                self._stores.popitem(last=False)
        return store

    def _connect(self, bucket: str, folder: str, region: str) -> S3Store:
        url = self._url(bucket, region) + folder
        return s3_client(bucket, url, region, self._aws, patience_sec=self._access.patience_sec)

    def _is_folder_marker(self, info: ObjectInfo) -> bool:
        """obstore drops the "/" a marker's key ends in, so an empty object may be one.

        Without an extension it is no recording either way; with one, only a marker cannot be found under its name.
        """
        if info.size:
            return False
        if "." not in info.uri.rpartition("/")[2]:
            return True
        try:
            self.stat(info.uri)
        except ObjectNotFound:
            return True
        return False


def _start_listing(store: S3Store, prefix: str, after: str | None) -> tuple[Metas | None, Iterator[Metas]]:
    """No first page where obstore cannot say what to list, or from where."""
    if split_folder(prefix)[0]:
        return None, iter(())
    try:
        stream = iter(obstore.list(store, prefix=prefix, offset=after, chunk_size=PAGE_SIZE))
    except ValueError:
        return None, iter(())
    return _next_page(stream), stream


def _next_page(stream: Iterator[Metas]) -> Metas | None:
    """Empty behind the last page; None where a key comes that obstore cannot say."""
    try:
        return next(stream, [])
    except InvalidPathError:
        return None


def _objects(bucket: str, metas: Metas) -> Iterator[ObjectInfo]:
    base = f"s3://{bucket}/"
    return (ObjectInfo(base + meta["path"], meta["size"], meta["e_tag"]) for meta in metas)
