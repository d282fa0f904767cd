"""`s3://`: buckets of AWS or of any S3-compatible service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

from batchscribe.storage.access import Access
from batchscribe.storage.answer_checks import Version, nonsense, opened, read_on, size_in, version_of
from batchscribe.storage.bucket_uris import split_bucket, split_folder
from batchscribe.storage.listing_checks import MAX_PAGE_BYTES, Listing
from batchscribe.storage.ranged_recording import FIRST_BLOCK_BYTES, RangedRecording
from batchscribe.storage.s3.s3_buckets import Buckets
from batchscribe.storage.s3.s3_listing import S3Pages, first_query
from batchscribe.storage.s3.s3_write import check_conditional_write, delete_object, write_object
from batchscribe.storage.store import ObjectInfo, Page

NO_RANGE = frozenset({HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE})


class S3Store:
    """A store for the S3 objects of one side of a job."""

    def __init__(self, access: Access, *, clock: Callable[[], float] = time.time) -> None:
        """Create the store without sending a request. Raises `InvalidSetting`."""
        self._buckets = Buckets(access, clock)

    def stat(self, uri: str) -> ObjectInfo:
        version, _ = self._opened(uri, 1)
        return ObjectInfo(uri, version.size, version.etag)

    def open(self, uri: str) -> RangedRecording:
        def fetch(start: int, end: int, version: Version) -> bytes:
            headers = {"range": f"bytes={start}-{end - 1}", **version.conditions}
            answer = self._buckets.ask(uri, "GET", headers=headers, limit_bytes=end - start, also=NO_RANGE)
            return read_on(answer, uri, start, end, version)

        version, first = self._opened(uri, FIRST_BLOCK_BYTES)
        return RangedRecording(uri, version, first, fetch)

    def _opened(self, uri: str, asked: int) -> tuple[Version, bytes]:
        """Return the version and the first `asked` bytes. Uses GET, because errors of HEAD have no reason."""
        headers = {"range": f"bytes=0-{asked - 1}"}
        answer = self._buckets.ask(uri, "GET", headers=headers, limit_bytes=asked, also=NO_RANGE)
        if answer.status not in NO_RANGE:
            return opened(answer, uri, asked)
        answer = self._buckets.ask(uri, "HEAD")  # no range of an empty object is satisfiable
        if size_in(answer.headers.get("content-length")) != 0:
            raise nonsense(uri, "it has no first byte, but is not empty")
        return version_of(answer, uri, 0), b""

    def list(self, prefix_uri: str, *, after: str | None = None) -> Iterator[Page]:
        """List objects in the byte order of their keys."""
        bucket, prefix = split_folder(prefix_uri)
        last = split_bucket(after)[1] if after else None
        pages = S3Pages(
            prefix_uri,
            prefix,
            lambda query: self._buckets.ask(prefix_uri, "GET", query=query, limit_bytes=MAX_PAGE_BYTES).body,
        )
        return Listing(prefix_uri, f"s3://{bucket}", prefix, last).pages(first_query(prefix, last), pages.read)

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        with self.open(uri) as recording:
            return recording.read_all(limit_bytes)

    def write(self, uri: str, data: bytes, *, overwrite: bool, content_type: str = "application/json") -> None:
        self._buckets.with_newest_key(  # also covers the analysis of a rejected condition: expired keys may cause it
            lambda: write_object(self._buckets, uri, data, overwrite=overwrite, content_type=content_type)
        )

    def check_write(self, beside: str) -> None:
        check_conditional_write(self._buckets, beside)

    def delete(self, uri: str) -> None:
        """Delete an object, for the cleanup of the doctor. Jobs never delete objects."""
        delete_object(self._buckets, uri)
