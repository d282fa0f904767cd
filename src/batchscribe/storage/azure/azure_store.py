"""A store for `az://` URIs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus

from batchscribe.errors import ObjectNotFound, StorageError
from batchscribe.storage.access import Access
from batchscribe.storage.answer_checks import Answer, Version, nonsense, opened, read_on, size_in, version_of
from batchscribe.storage.azure.azure_client import AzureClient
from batchscribe.storage.azure.azure_errors import code_of, refusal
from batchscribe.storage.azure.azure_listing import MARKER, AzurePages, first_query, position_of, skip_seen
from batchscribe.storage.bucket_uris import split_folder
from batchscribe.storage.conditional_writes import content_md5, output_exists, probe_beside
from batchscribe.storage.listing_checks import MAX_PAGE_BYTES, Listing
from batchscribe.storage.ranged_recording import FIRST_BLOCK_BYTES, RangedRecording
from batchscribe.storage.store import ObjectInfo, Page

NO_RANGE = frozenset({HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE})
REJECTED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})
EXISTS = {"BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet"}
OTHER_DIGEST = {"Md5Mismatch", "InvalidMd5"}
NOTHING_THERE = {"if-none-match": "*"}


class AzureStore:
    """A store for the blobs of one side of a job."""

    def __init__(self, access: Access, *, clock: Callable[[], float] = time.time) -> None:
        """Create the store without sending a request. Raises `InvalidSetting`."""
        self._client = AzureClient(access, clock)

    def stat(self, uri: str) -> ObjectInfo:
        version = self._look(uri)
        return ObjectInfo(uri, version.size, version.etag)

    def open(self, uri: str) -> RangedRecording:
        def fetch(start: int, end: int, version: Version) -> bytes:
            answer = self._get(uri, start, end, version)
            return read_on(answer, uri, start, end, version)

        answer = self._get(uri, 0, FIRST_BLOCK_BYTES)
        if answer.status not in NO_RANGE:
            version, first = opened(answer, uri, FIRST_BLOCK_BYTES)
            return RangedRecording(uri, version, first, fetch)
        version = self._look(uri)  # no range of an empty object is satisfiable
        if version.size != 0:
            raise nonsense(uri, "it has no first byte, but is not empty")
        return RangedRecording(uri, version, b"", fetch)

    def _look(self, uri: str) -> Version:
        answer = self._client.ask(uri, "HEAD")
        size = size_in(answer.headers.get("content-length"))
        if size is None:
            raise nonsense(uri, "it has no valid size")
        return version_of(answer, uri, size)

    def _get(self, uri: str, start: int, end: int, version: Version | None = None) -> Answer:
        headers = {"range": f"bytes={start}-{end - 1}", **(version.conditions if version else {})}
        return self._client.ask(uri, "GET", headers=headers, limit_bytes=end - start, also=NO_RANGE)

    def list(self, prefix_uri: str, *, after: str | None = None) -> Iterator[Page]:
        """List blobs in the order of the storage."""
        bucket, prefix = split_folder(prefix_uri)
        pages = AzurePages(
            prefix_uri,
            lambda query: self._client.ask(prefix_uri, "GET", query=query, limit_bytes=MAX_PAGE_BYTES).body,
        )

        def list_from(position: str | None = None) -> Iterator[Page]:
            listing = Listing(prefix_uri, f"az://{bucket}", prefix, is_sorted=False, position_of=position_of)
            return listing.pages(first_query(prefix, position), pages.read)

        if after == MARKER:
            return iter(())
        if after is None or after.startswith(MARKER):
            return list_from(after)
        return skip_seen(list_from, after)

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        with self.open(uri) as recording:
            return recording.read_all(limit_bytes)

    def write(self, uri: str, data: bytes, *, overwrite: bool, content_type: str = "application/json") -> None:
        answer = self._put(uri, data, data, content_type, is_conditional=not overwrite)
        if answer.status != HTTPStatus.CREATED:
            raise self._meaning(answer, uri, is_conditional=not overwrite)

    def check_write(self, beside: str) -> None:
        """Test a write in the folder of this URI with a wrong digest, so that nothing is stored."""
        probe = probe_beside(beside)
        answer = self._put(probe, b"{}", b"", "application/json", is_conditional=True)
        if answer.status == HTTPStatus.CREATED:
            with suppress(StorageError):
                self.delete(probe)
        elif code_of(answer) not in OTHER_DIGEST | EXISTS:
            raise refusal(answer, probe)

    def delete(self, uri: str) -> None:
        with suppress(ObjectNotFound):
            self._client.ask(uri, "DELETE")

    def _put(self, uri: str, data: bytes, said: bytes, content_type: str, *, is_conditional: bool) -> Answer:
        """Send a blob with the MD5 of `said`, so that the storage rejects a damaged body."""
        headers = {"content-type": content_type, "content-md5": content_md5(said), "x-ms-blob-type": "BlockBlob"}
        condition = NOTHING_THERE if is_conditional else {}
        return self._client.ask(uri, "PUT", headers={**headers, **condition}, body=data, also=REJECTED)

    def _meaning(self, answer: Answer, uri: str, *, is_conditional: bool) -> StorageError:
        if is_conditional and code_of(answer) in EXISTS:
            return output_exists(uri)
        return refusal(answer, uri)
