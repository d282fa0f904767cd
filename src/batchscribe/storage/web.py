"""`https://`: single recordings under a URL, pre-signed or public. They are read in ranges and never written.

A URL on record has no query, since that may be its signature; `urls` has the whole ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus

import httpcore2

from batchscribe import __version__
from batchscribe.errors import (
    AccessDenied,
    AddressNotAllowed,
    LocationNotAllowed,
    ObjectChanged,
    ObjectNotFound,
    StorageError,
    StorageUnavailable,
)
from batchscribe.outbound.client import GuardedClient, Reply
from batchscribe.outbound.policy import Policy, check_url
from batchscribe.storage.ranged_recording import FIRST_BLOCK_BYTES, RangedRecording
from batchscribe.storage.store import ObjectInfo, Page
from batchscribe.wire.uris import without_query

REQUEST_SEC = 60.0  #: for one range of at most a few MiB
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


def check_web_url(url: str, policy: Policy) -> None:
    """Raises `LocationNotAllowed` for what no resolver could make right."""
    try:
        check_url(url, policy)
    except AddressNotAllowed as error:
        raise LocationNotAllowed(error.message) from error


class WebStore:
    """Requests go to where the policy lets them, each checked anew."""

    def __init__(self, policy: Policy, urls: Mapping[str, str], *, patience_sec: float | None = None) -> None:
        self._client = GuardedClient(policy, timeout_sec=min(REQUEST_SEC, patience_sec or REQUEST_SEC))
        self._urls = urls

    def stat(self, uri: str) -> ObjectInfo:
        with self.open(uri) as recording:
            return ObjectInfo(uri, recording.size, recording.etag)

    def open(self, uri: str) -> RangedRecording:
        def fetch(start: int, end: int, etag: str | None) -> bytes:
            return self._fetch(uri, start, end, etag)

        reply, first = self._get(uri, 0, FIRST_BLOCK_BYTES, {})
        if reply.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return RangedRecording(uri, 0, reply.headers.get("etag"), b"", fetch)
        _check(reply, uri)
        return RangedRecording(uri, _size(reply, first, uri), reply.headers.get("etag"), first, fetch)

    def _fetch(self, uri: str, start: int, end: int, etag: str | None) -> bytes:
        """Bytes of the object that has this ETag. Raises `ObjectChanged`."""
        is_strong = etag is not None and not etag.startswith("W/")
        reply, content = self._get(uri, start, end, {"If-Match": etag} if etag and is_strong else {})
        if reply.status == HTTPStatus.PRECONDITION_FAILED or reply.headers.get("etag") != etag:
            raise ObjectChanged(f"{without_query(uri)} was replaced while it was being read; run it again.")
        _check(reply, uri)
        if reply.status != HTTPStatus.PARTIAL_CONTENT or len(content) != end - start:
            raise StorageUnavailable(f"{without_query(uri)} was cut off while it was being read; try again.")
        return content

    def list(self, prefix_uri: str, *, after: str | None = None) -> Iterator[Page]:
        raise LocationNotAllowed(f"{without_query(prefix_uri)} cannot be listed; use s3:// for a prefix.")

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        with self.open(uri) as recording:
            if recording.size > limit_bytes:
                raise StorageError(f"{without_query(uri)} is larger than {limit_bytes} bytes.")
            return recording.read(0, recording.size)

    def write(self, uri: str, data: bytes, *, overwrite: bool, content_type: str = "application/json") -> None:
        raise LocationNotAllowed(f"Nothing can be written to {without_query(uri)}; use s3:// or file://.")

    def _get(self, uri: str, start: int, end: int, conditions: Mapping[str, str]) -> tuple[Reply, bytes]:
        headers = {
            "Range": f"bytes={start}-{end - 1}",
            "Accept-Encoding": "identity",
            "User-Agent": f"batchscribe/{__version__}",
            **conditions,
        }
        try:
            return self._client.get(self._urls.get(uri, uri), headers, limit_bytes=end - start)
        except AddressNotAllowed as error:
            raise LocationNotAllowed(error.message) from None
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            failure = type(error).__name__
        raise StorageUnavailable(f"{without_query(uri)} cannot be read ({failure}); try again.")


def _check(reply: Reply, uri: str) -> None:
    """Raises the error of a refusal."""
    shown, status = without_query(uri), reply.status
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise ObjectNotFound(f"There is nothing under {shown}.")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise AccessDenied(f"{shown} may not be read; the URL's signature may have expired.")
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise StorageUnavailable(f"{shown} answered {status}; try again.")
    if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        moved = " Redirects are not followed; name the place itself." if 300 <= status < 400 else ""
        raise StorageError(f"{shown} answered {status}.{moved}")


def _size(reply: Reply, first: bytes, uri: str) -> int:
    """Of the whole object. One that is sent whole must fit into the first block."""
    told = _RANGE.fullmatch(reply.headers.get("content-range", "").strip())
    if reply.status == HTTPStatus.PARTIAL_CONTENT and told:
        return int(told[2])
    if reply.status == HTTPStatus.OK and len(first) < FIRST_BLOCK_BYTES:
        return len(first)
    raise StorageError(f"{without_query(uri)} cannot be read in ranges; use a server that answers Range requests.")
