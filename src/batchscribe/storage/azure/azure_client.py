"""Authorized requests to Azure Blob Storage."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Set
from http import HTTPStatus
from urllib.parse import quote, urlencode

from batchscribe.errors import AccessDenied, AccessKeyUnknown
from batchscribe.settings import Settings
from batchscribe.storage.access import Access
from batchscribe.storage.answer_checks import Answer, nonsense
from batchscribe.storage.azure.azure_credentials import AzureCredentials
from batchscribe.storage.azure.azure_errors import refusal
from batchscribe.storage.azure.azure_signing import authorized, has_expired
from batchscribe.storage.bucket_uris import checked_key, split_bucket
from batchscribe.storage.endpoints import check_endpoint_url, require_https
from batchscribe.storage.http_client import MOST_OF_A_REFUSAL, HttpRequest
from batchscribe.storage.retrying_client import RetryingClient
from batchscribe.wire.credentials import ACCOUNT_NAME

MICROSOFT = "https://{account}.blob.core.windows.net"
ACCOUNT = "{account}"
SUCCESSES = {
    "GET": frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}),
    "HEAD": frozenset({HTTPStatus.OK}),
    "PUT": frozenset({HTTPStatus.CREATED}),
    "DELETE": frozenset({HTTPStatus.ACCEPTED}),
}
NONE: frozenset[int] = frozenset()


def checked_endpoint(settings: Settings) -> str | None:
    """Return the custom endpoint, which may contain `{account}`. Raises `InvalidSetting`."""
    if settings.azure_endpoint is None:
        return None
    name = "BATCHSCRIBE_AZURE_ENDPOINT"
    check_endpoint_url(settings.azure_endpoint.replace(ACCOUNT, "account"), name, MICROSOFT)
    return require_https(settings.azure_endpoint.rstrip("/"), name)


class AzureClient:
    """A client for one side of a job. Thread-safe."""

    def __init__(self, access: Access, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns the time of signatures. Raises `InvalidSetting`."""
        self._access = access
        self._endpoint = checked_endpoint(access.settings) or MICROSOFT
        self._client = RetryingClient(access.patience_sec)
        self._clock = clock

    def ask(
        self,
        uri: str,
        method: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        limit_bytes: int = MOST_OF_A_REFUSAL,
        also: Set[int] = NONE,
    ) -> Answer:
        """Send a request. Returns a success or an answer with a status in `also`.

        With a `query`, the request is for the container itself. Raises `StorageError` for any other answer, or if there
        is none.
        """

        def send() -> Answer:
            credentials = self._access.newest(AzureCredentials)
            request = HttpRequest(method, self._url(uri, credentials, query), headers or {}, body, limit_bytes)
            answer = self._client.ask(
                request, uri, lambda unsigned: authorized(unsigned, credentials, uri, self._clock())
            )
            if answer.status in SUCCESSES[method] or answer.status in also:
                return answer
            if answer.status < HTTPStatus.MULTIPLE_CHOICES:
                raise nonsense(uri, f"a {method} request was answered with status {answer.status}")
            raise refusal(
                answer,
                uri,
                has_expired=has_expired(credentials, self._clock()),
                is_anonymous=credentials is None or credentials.is_anonymous,
            )

        return self._access.with_newest(AzureCredentials, send)

    def _url(self, uri: str, credentials: AzureCredentials | None, query: Mapping[str, str] | None) -> str:
        container, _ = split_bucket(uri)
        endpoint = self._endpoint.replace(ACCOUNT, self._account(uri, credentials))
        url = f"{endpoint}/{quote(container, safe='$', errors='replace')}"
        if query is None:
            return f"{url}/{quote(checked_key(uri), safe='/~', errors='replace')}"
        return f"{url}?{urlencode(query, quote_via=quote, errors='replace')}"

    def _account(self, uri: str, credentials: AzureCredentials | None) -> str:
        """Return the storage account; empty if no part of the address depends on it."""
        account = credentials.account_name if credentials else self._access.settings.azure_account
        if account is None:
            if ACCOUNT not in self._endpoint:
                return ""
            raise AccessDenied(
                f"{uri} is in no storage account; name it in auth.azure.account_name, AZURE_STORAGE_ACCOUNT or "
                "BATCHSCRIBE_AZURE_ACCOUNT."
            )
        if not ACCOUNT_NAME.fullmatch(account):
            raise AccessKeyUnknown(
                f"{uri} cannot be requested: the name of a storage account has 3 to 24 lower-case letters and digits; "
                "correct it."
            )
        return account
