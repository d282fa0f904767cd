"""`https://`: single recordings with a pre-signed or public URL. They are read in ranges and never written.

URLs in the database have no query, because it may contain a signature. `urls` maps them to the complete URLs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from batchscribe import __version__
from batchscribe.errors import (
    AccessDenied,
    AddressNotAllowed,
    LocationNotAllowed,
    ObjectNotFound,
    StorageBusy,
    StorageError,
    StorageRedirected,
    StorageUnavailable,
)
from batchscribe.outbound.guarded_client import GuardedClient
from batchscribe.outbound.policy import Policy, check_url
from batchscribe.storage.answer_checks import Answer, Version, changed, check_empty, opened, read_on, version_of
from batchscribe.storage.http_client import NO_ANSWER
from batchscribe.storage.ranged_recording import FIRST_BLOCK_BYTES, RangedRecording
from batchscribe.storage.store import ObjectInfo, Page
from batchscribe.storage.unreachable import no_answer
from batchscribe.wire.uris import without_query

REQUEST_SEC = 60.0  #: for one range of at most a few MiB
#: Statuses of a later request if the object was replaced or became shorter.
NOT_THE_SAME = {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}


def check_web_url(url: str, policy: Policy) -> None:
    """Check a URL without resolving its host. Raises `LocationNotAllowed`."""
    try:
        check_url(url, policy)
    except AddressNotAllowed as error:
        raise LocationNotAllowed(error.message) from error


class WebStore:
    """A store for `https://` URLs. The policy is checked for each request."""

    def __init__(self, policy: Policy, urls: Mapping[str, str], *, patience_sec: float | None = None) -> None:
        self._client = GuardedClient(policy, timeout_sec=min(REQUEST_SEC, patience_sec or REQUEST_SEC))
        self._urls = urls

    def stat(self, uri: str) -> ObjectInfo:
        with self.open(uri) as recording:
            return ObjectInfo(uri, recording.size, recording.etag)

    def open(self, uri: str) -> RangedRecording:
        def fetch(start: int, end: int, version: Version) -> bytes:
            answer = self._get(uri, start, end, version.conditions)
            if answer.status in NOT_THE_SAME:
                raise changed(without_query(uri))
            _check(answer, uri)
            return read_on(answer, without_query(uri), start, end, version)

        answer = self._get(uri, 0, FIRST_BLOCK_BYTES, {})
        if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            check_empty(answer, without_query(uri))
            return RangedRecording(uri, version_of(answer, without_query(uri), 0), b"", fetch)
        _check(answer, uri)
        version, first = opened(answer, without_query(uri), FIRST_BLOCK_BYTES)
        return RangedRecording(uri, version, first, fetch)

    def list(self, prefix_uri: str, *, after: str | None = None) -> Iterator[Page]:
        raise LocationNotAllowed(f"{without_query(prefix_uri)} cannot be listed; use a bucket for a prefix.")

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        with self.open(uri) as recording:
            return recording.read_all(limit_bytes)

    def write(self, uri: str, data: bytes, *, overwrite: bool, content_type: str = "application/json") -> None:
        raise LocationNotAllowed(f"Nothing can be written to {without_query(uri)}; use s3://, gs://, az:// or file://.")

    def check_write(self, beside: str) -> None:
        self.write(beside, b"", overwrite=False)

    def _get(self, uri: str, start: int, end: int, conditions: Mapping[str, str]) -> Answer:
        headers = {
            "Range": f"bytes={start}-{end - 1}",
            "Accept-Encoding": "identity",
            "User-Agent": f"batchscribe/{__version__}",
            **conditions,
        }
        try:
            reply, body = self._client.get(self._urls.get(uri, uri), headers, limit_bytes=end - start + 1)
            return Answer(reply.status, reply.headers, body)
        except AddressNotAllowed as error:
            raise LocationNotAllowed(error.message) from None
        except NO_ANSWER as error:
            failure = no_answer(error, without_query(uri), urlsplit(uri).netloc)
        try:
            raise failure
        finally:
            del failure  # breaks a reference cycle that would keep the signed URLs in memory


def _check(answer: Answer, uri: str) -> None:
    """Raise the error of an unsuccessful answer."""
    shown, status = without_query(uri), answer.status
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise ObjectNotFound(f"There is no object at {shown}.")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise AccessDenied(f"Access to {shown} was denied; the URL's signature may have expired.")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise StorageBusy(f"{shown} answered {status}: it asks for fewer requests; try again.")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise StorageUnavailable(f"{shown} answered {status}; try again.")
    if 300 <= status < 400:
        raise StorageRedirected(f"{shown} answered {status}. Redirects are not followed; use the target's URL.")
    if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise StorageError(f"{shown} answered {status}; check the URL, and what its server allows.")
