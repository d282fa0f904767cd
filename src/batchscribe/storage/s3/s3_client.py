"""Signed requests to a bucket, and the errors of its answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode, urlsplit

from batchscribe.errors import CredentialsExpired, StorageError
from batchscribe.storage.answer_checks import Answer
from batchscribe.storage.http_client import HttpRequest
from batchscribe.storage.retrying_client import PASSING, RetryingClient
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.storage.s3.s3_errors import code_of, refusal
from batchscribe.storage.s3.s3_signing import signature_headers

#: 409 means another writer at the same moment: a retry shows which was first.
_CONFLICT = 409
#: Codes of a 400 from a service without support for session tokens (measured: radosgw), or from a proxy.
_UNEXPLAINED = {None, "InvalidArgument", "InvalidRequest"}


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """The URL of a bucket, its region and its credentials. Requests without credentials are not signed."""

    url: str
    region: str
    aws: AwsCredentials | None

    def url_of(self, key: str, query: Mapping[str, str] | None = None) -> str:
        """Return the URL in canonical form, with a sorted query and everything but unreserved characters encoded."""
        has_path = bool(key) or not urlsplit(self.url).path
        path = self.url + (f"/{quote(key, safe='/~', errors='replace')}" if has_path else "")
        if not query:
            return path
        return f"{path}?{urlencode(sorted(query.items()), quote_via=quote, safe='~', errors='replace')}"


class S3Client:
    """A signing client. Thread-safe. `clock` returns Unix seconds; for `patience_sec` see `Access`."""

    def __init__(self, clock: Callable[[], float] = time.time, patience_sec: float | None = None) -> None:
        self._client = RetryingClient(patience_sec, may_pass=lambda answer: answer.status in PASSING | {_CONFLICT})
        self._clock = clock

    def ask(self, place: BucketAddress, request: HttpRequest, uri: str) -> Answer:
        """Return an answer with any status. If there is none, raises `StorageUnavailable` or another `StorageError`."""

        def sign(unsigned: HttpRequest) -> HttpRequest:
            if place.aws is None:
                return unsigned
            signature = signature_headers(
                unsigned.method,
                unsigned.url,
                unsigned.body,
                aws=place.aws,
                region=place.region,
                moment=self._clock(),
            )
            return replace(unsigned, headers={**unsigned.headers, **signature})

        return self._client.ask(request, uri, sign)

    def refused(self, place: BucketAddress, answer: Answer, uri: str, look: HttpRequest) -> StorageError:
        """Return the error for a rejected request. `look` is a read-only request that needs the same credentials."""
        if self._is_token_at_fault(place, answer, uri, look):
            return CredentialsExpired(
                f"The session token for {uri} is expired or invalid ({code_of(answer) or 'HTTP 400'}); send fresh "
                "credentials."
            )
        return refusal(answer, uri)

    def _is_token_at_fault(self, place: BucketAddress, answer: Answer, uri: str, look: HttpRequest) -> bool:
        """Return whether the session token caused a 400: some services reject an unknown token without a reason.

        The token is the cause if `look` gets a 400 with it and another status without it. That status may be a denial:
        it shows that the rest of the request is well formed.
        """
        if answer.status != 400 or code_of(answer) not in _UNEXPLAINED:
            return False
        if place.aws is None or place.aws.session_token is None:
            return False
        without = replace(place, aws=replace(place.aws, session_token=None))
        return self.ask(place, look, uri).status == 400 and self.ask(without, look, uri).status != 400
