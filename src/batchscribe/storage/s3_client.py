"""Signed requests to a bucket, with retries.

Requests have an AWS Signature Version 4 in the headers
(https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html). Tests compare the signature with
botocore's and send it to radosgw, which verifies it.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

from batchscribe.errors import CredentialsExpired, StorageError
from batchscribe.storage.access import AwsCredentials
from batchscribe.storage.answer_checks import Answer
from batchscribe.storage.http_client import NO_ANSWER, REQUEST_SEC, HttpClient, HttpRequest
from batchscribe.storage.s3_errors import code_of, refusal
from batchscribe.storage.unreachable import is_worth_another_try, no_answer

_ALGORITHM = "AWS4-HMAC-SHA256"


def signature_headers(
    method: str, url: str, body: bytes, *, aws: AwsCredentials, region: str, moment: float
) -> dict[str, str]:
    """Return the signature headers. `url` is percent-encoded with a sorted query; `moment` is in Unix seconds."""
    at = datetime.fromtimestamp(moment, UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = {
        "host": urlsplit(url).netloc,
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-amz-date": at,
    }
    if aws.session_token:
        signed["x-amz-security-token"] = aws.session_token
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    digest = hashlib.sha256(_canonical(method, url, signed).encode()).hexdigest()
    key = _signing_key(aws.secret_access_key, at[:8], region)
    signature = hmac.new(key, f"{_ALGORITHM}\n{at}\n{scope}\n{digest}".encode(), hashlib.sha256).hexdigest()
    authorization = (
        f"{_ALGORITHM} Credential={aws.access_key_id}/{scope}, SignedHeaders={';'.join(signed)}, Signature={signature}"
    )
    return {**signed, "authorization": authorization}


def _canonical(method: str, url: str, signed: dict[str, str]) -> str:
    """Return the canonical request. The names in `signed` must be sorted."""
    parts = urlsplit(url)
    headers = "".join(f"{name}:{value}\n" for name, value in signed.items())
    return "\n".join(
        [method, parts.path or "/", parts.query, headers, ";".join(signed), signed["x-amz-content-sha256"]]
    )


def _signing_key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


TRIES = 4  #: for one request; no caller repeats a request
FIRST_PAUSE_SEC = 0.1  #: between two tries; each pause is three times the previous one
RETRY_SEC = 60.0  #: after the first try; then no new try begins
#: 409 means another writer at the same moment: a retry shows which was first.
PASSING = {408, 409, 429, 500, 502, 503, 504}
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


@dataclass(frozen=True, slots=True)
class S3Failure:
    """The reason for a missing answer, without the library's own error, which contains addresses."""

    error: StorageError
    may_pass: bool


def _may_pass(outcome: Answer | S3Failure) -> bool:
    return outcome.status in PASSING if isinstance(outcome, Answer) else outcome.may_pass


class S3Client:
    """A signing client with retries. Thread-safe. `clock` returns Unix seconds; for `patience_sec` see `Access`."""

    def __init__(self, clock: Callable[[], float] = time.time, patience_sec: float | None = None) -> None:
        self._http = HttpClient()
        self._clock = clock
        self._retry_sec = min(RETRY_SEC, patience_sec or RETRY_SEC)
        self._patience_sec = patience_sec

    def ask(self, place: BucketAddress, request: HttpRequest, uri: str) -> Answer:
        """Return an answer with any status. If there is none, raises `StorageUnavailable` or another `StorageError`."""
        started, pause_sec = time.monotonic(), FIRST_PAUSE_SEC
        tries_left = TRIES
        while True:
            outcome = self._try(place, request, uri, started)
            tries_left -= 1
            is_last = tries_left == 0 or time.monotonic() + pause_sec - started > self._retry_sec
            if is_last or not _may_pass(outcome):
                break
            time.sleep(pause_sec * random.uniform(0.5, 1.0))  # noqa: S311 (no secret)
            pause_sec *= 3
        if isinstance(outcome, Answer):
            return outcome
        failure = outcome.error
        del outcome
        try:
            raise failure
        finally:
            del failure  # breaks a reference cycle that would keep the credentials in memory

    def _try(self, place: BucketAddress, request: HttpRequest, uri: str, started: float) -> Answer | S3Failure:
        left_sec = REQUEST_SEC
        if self._patience_sec is not None:
            left_sec = min(REQUEST_SEC, self._patience_sec - (time.monotonic() - started))
        try:
            return self._http.send(self._signed(place, request), within_sec=left_sec)
        except NO_ANSWER as error:
            return S3Failure(no_answer(error, uri, urlsplit(request.url).netloc), may_pass=is_worth_another_try(error))

    def _signed(self, place: BucketAddress, request: HttpRequest) -> HttpRequest:
        if place.aws is None:
            return request
        signature = signature_headers(
            request.method, request.url, request.body, aws=place.aws, region=place.region, moment=self._clock()
        )
        return replace(request, headers={**request.headers, **signature})

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
