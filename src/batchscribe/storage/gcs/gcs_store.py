"""A store for `gs://` URIs.

An object's version is its generation, a number that changes with each write. It takes the place of the ETag.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus

from batchscribe.errors import ObjectNotFound, StorageError
from batchscribe.storage.access import Access
from batchscribe.storage.answer_checks import (
    Answer,
    Version,
    changed,
    check_empty,
    opened,
    read_on,
    size_in,
    version_of,
)
from batchscribe.storage.bucket_uris import split_bucket, split_folder
from batchscribe.storage.conditional_writes import content_md5, output_exists, probe_beside
from batchscribe.storage.gcs.gcs_client import GcsClient
from batchscribe.storage.gcs.gcs_errors import refusal
from batchscribe.storage.gcs.gcs_listing import FIELDS, GcsPages, parse_json
from batchscribe.storage.listing_checks import MAX_PAGE_BYTES, Listing, Query
from batchscribe.storage.ranged_recording import FIRST_BLOCK_BYTES, RangedRecording
from batchscribe.storage.store import PAGE_SIZE, ObjectInfo, Page

NO_RANGE = frozenset({HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE})
REJECTED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.PRECONDITION_FAILED})
NOTHING_THERE = {"ifGenerationMatch": "0"}


class GcsStore:
    """A store for the objects of one side of a job."""

    def __init__(self, access: Access, *, clock: Callable[[], float] = time.time) -> None:
        """Create the store without sending a request. Raises `InvalidSetting`."""
        self._client = GcsClient(access, clock)

    def stat(self, uri: str) -> ObjectInfo:
        facts = parse_json(self._client.ask(uri, "GET", self._client.object_url(uri, {"fields": FIELDS})).body, uri)
        return ObjectInfo(uri, size_in(str(facts.get("size"))), _generation(str(facts.get("generation"))))

    def open(self, uri: str) -> RangedRecording:
        def fetch(start: int, end: int, version: Version) -> bytes:
            match = {} if version.etag is None else {"ifGenerationMatch": version.etag}
            answer = self._get(uri, start, end, match, generation=version.etag)
            return read_on(answer, uri, start, end, version)

        answer = self._get(uri, 0, FIRST_BLOCK_BYTES, {})
        if "etag" not in answer.headers:  # some emulators send no generation with the bytes, and no bytes as a range
            info = self.stat(uri)
            if info.size == 0:
                return RangedRecording(uri, Version(0, info.etag, None), b"", fetch)
            if answer.status in NO_RANGE:
                raise changed(uri)
            answer = _with_generation(answer, info.etag)
        if answer.status in NO_RANGE:
            check_empty(answer, uri)
            return RangedRecording(uri, version_of(answer, uri, 0), b"", fetch)
        version, first = opened(answer, uri, FIRST_BLOCK_BYTES)
        return RangedRecording(uri, version, first, fetch)

    def _get(
        self, uri: str, start: int, end: int, match: Mapping[str, str], *, generation: str | None = None
    ) -> Answer:
        """Return bytes of an object, with its generation as the ETag: `generation` if the answer has none."""
        url = self._client.object_url(uri, {"alt": "media", **match})
        headers = {"range": f"bytes={start}-{end - 1}"}
        answer = self._client.ask(uri, "GET", url, headers=headers, limit_bytes=end - start, also=NO_RANGE)
        return _with_generation(answer, _generation(answer.headers.get("x-goog-generation", "")) or generation)

    def list(self, prefix_uri: str, *, after: str | None = None) -> Iterator[Page]:
        """List objects in the byte order of their keys."""
        bucket, prefix = split_folder(prefix_uri)
        last = split_bucket(after)[1] if after else None
        query = {"prefix": prefix, "maxResults": str(PAGE_SIZE), "fields": f"nextPageToken,items(name,{FIELDS})"}

        def fetch(page: Query) -> bytes:
            url = self._client.bucket_url(prefix_uri, page)
            return self._client.ask(prefix_uri, "GET", url, limit_bytes=MAX_PAGE_BYTES, is_for_bucket=True).body

        first = {**query, "startOffset": last} if last else query
        return Listing(prefix_uri, f"gs://{bucket}", prefix, last).pages(first, GcsPages(prefix_uri, fetch).read)

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        with self.open(uri) as recording:
            return recording.read_all(limit_bytes)

    def write(self, uri: str, data: bytes, *, overwrite: bool, content_type: str = "application/json") -> None:
        answer = self._upload(uri, data, data, content_type, NOTHING_THERE if not overwrite else {})
        if answer.status == HTTPStatus.PRECONDITION_FAILED and not overwrite:
            raise output_exists(uri)
        if answer.status in REJECTED:
            raise refusal(answer, uri)
        parse_json(answer.body, uri)  # the answer of a proxy is no JSON

    def check_write(self, beside: str) -> None:
        """Test a write in the folder of this URI with a wrong digest, so that nothing is stored."""
        probe = probe_beside(beside)
        answer = self._upload(probe, b"{}", b"", "application/json", NOTHING_THERE)
        if answer.status == HTTPStatus.BAD_REQUEST and b"MD5" not in answer.body:
            raise refusal(answer, probe)
        if answer.status == HTTPStatus.OK:
            with suppress(StorageError):
                self.delete(probe)

    def delete(self, uri: str) -> None:
        with suppress(ObjectNotFound):
            self._client.ask(uri, "DELETE", self._client.object_url(uri, {}))

    def _upload(self, uri: str, data: bytes, said: bytes, content_type: str, match: Mapping[str, str]) -> Answer:
        """Send an object with the MD5 of `said`, so that the storage rejects a damaged body."""
        self._client.object_url(uri, {})  # checks the key
        facts = {"name": split_bucket(uri)[1], "contentType": content_type, "md5Hash": content_md5(said)}
        boundary = secrets.token_hex(16)
        parts = [
            f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps(facts)}\r\n".encode(),
            f"--{boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode(),
            data,
            f"\r\n--{boundary}--\r\n".encode(),
        ]
        body = b"".join(parts)
        url = self._client.bucket_url(uri, {"uploadType": "multipart", **match}, root="/upload/storage/v1")
        headers = {"content-type": f"multipart/related; boundary={boundary}"}
        return self._client.ask(uri, "POST", url, headers=headers, body=body, also=REJECTED, is_for_bucket=True)


def _with_generation(answer: Answer, generation: str | None) -> Answer:
    """Return the answer with the generation as its ETag. An object that was decompressed counts as compressed."""
    kept = {name: value for name, value in answer.headers.items() if name not in ("etag", "last-modified")}
    if "x-goog-stored-content-encoding" in kept:
        kept["content-encoding"] = kept["x-goog-stored-content-encoding"]
    return replace(answer, headers=kept if generation is None else {**kept, "etag": generation})


def _generation(text: str) -> str | None:
    return text if text.isascii() and text.isdigit() and len(text) < 32 else None
