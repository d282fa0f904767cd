"""Authorized requests to the JSON API of Google Cloud Storage."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import quote, urlencode

from batchscribe.settings import Settings
from batchscribe.storage.access import Access
from batchscribe.storage.answer_checks import Answer, nonsense
from batchscribe.storage.bucket_uris import checked_key, split_bucket
from batchscribe.storage.endpoints import check_endpoint_url, require_https
from batchscribe.storage.gcs.gcs_credentials import GcpCredentials
from batchscribe.storage.gcs.gcs_errors import may_pass, refusal
from batchscribe.storage.gcs.gcs_tokens import GOOGLE, TokenSource
from batchscribe.storage.http_client import MOST_OF_A_REFUSAL, HttpRequest
from batchscribe.storage.retrying_client import RetryingClient

GOOGLE_STORAGE = "https://storage.googleapis.com"
SUCCESSES = {
    "GET": frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}),
    "POST": frozenset({HTTPStatus.OK}),
    "DELETE": frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT}),
}
NONE: frozenset[int] = frozenset()


def checked_endpoint(settings: Settings) -> str | None:
    """Return the custom endpoint. Raises `InvalidSetting`."""
    if settings.gcs_endpoint is None:
        return None
    name = "BATCHSCRIBE_GCS_ENDPOINT"
    return require_https(check_endpoint_url(settings.gcs_endpoint, name, GOOGLE_STORAGE), name)


def checked_token_url(settings: Settings) -> str:
    """Return the URL of the token service. Raises `InvalidSetting`."""
    name = "BATCHSCRIBE_GCS_TOKEN_URL"
    return require_https(check_endpoint_url(settings.gcs_token_url or GOOGLE, name, GOOGLE), name)


class GcsClient:
    """A client for one side of a job. Thread-safe."""

    def __init__(self, access: Access, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns the time of assertions. Raises `InvalidSetting`."""
        self._access = access
        self._endpoint = checked_endpoint(access.settings) or GOOGLE_STORAGE
        self._client = RetryingClient(access.patience_sec, may_pass=may_pass)
        self._tokens = TokenSource(checked_token_url(access.settings), self._client, clock)

    def object_url(self, uri: str, query: Mapping[str, str]) -> str:
        """Return the URL of an object. Raises `StorageError` if the URI names none."""
        return self._url(f"/storage/v1/b/{_bucket(uri)}/o/{quote(checked_key(uri), safe='', errors='replace')}", query)

    def bucket_url(self, uri: str, query: Mapping[str, str], *, root: str = "/storage/v1") -> str:
        """Return the URL of the objects in the bucket of the URI."""
        return self._url(f"{root}/b/{_bucket(uri)}/o", query)

    def ask(
        self,
        uri: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        limit_bytes: int = MOST_OF_A_REFUSAL,
        also: Set[int] = NONE,
        is_for_bucket: bool = False,
    ) -> Answer:
        """Send a request. Returns a success or an answer with a status in `also`; `uri` is for messages.

        If `is_for_bucket`, nothing but the bucket can be missing.

        Raises `StorageError` for any other answer, or if there is none.
        """
        request = HttpRequest(method, url, headers or {}, body, limit_bytes)

        def send() -> Answer:
            answer = self._send(request, uri)
            if answer.status in SUCCESSES[method] or answer.status in also:
                return answer
            if answer.status < HTTPStatus.MULTIPLE_CHOICES:
                raise nonsense(uri, f"a {method} request was answered with status {answer.status}")
            is_anonymous = self._access.newest(GcpCredentials) is None
            raise refusal(answer, uri, is_for_bucket=is_for_bucket, is_anonymous=is_anonymous)

        return self._access.with_newest(GcpCredentials, send)

    def _send(self, request: HttpRequest, uri: str) -> Answer:
        """Send a request. If the token of a service account is rejected, repeat it once with a new token."""
        credentials = self._access.newest(GcpCredentials)
        if credentials is None:
            return self._client.ask(request, uri, lambda unsigned: unsigned)
        token = self._tokens.token(credentials, uri)
        answer = self._client.ask(_authorized(request, token), uri, lambda signed: signed)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        another = self._tokens.replace(token, credentials, uri)
        if another == token:
            return answer
        return self._client.ask(_authorized(request, another), uri, lambda signed: signed)

    def _url(self, path: str, query: Mapping[str, str]) -> str:
        return f"{self._endpoint}{path}?{urlencode(query, quote_via=quote, errors='replace')}"


def _authorized(request: HttpRequest, token: str) -> HttpRequest:
    return replace(request, headers={**request.headers, "authorization": f"Bearer {token}"})


def _bucket(uri: str) -> str:
    return quote(split_bucket(uri)[0], safe="", errors="replace")
