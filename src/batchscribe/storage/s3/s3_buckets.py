"""Requests to the buckets of one side of a job, each sent to the region of its bucket."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Set
from http import HTTPStatus
from typing import TypeVar

from batchscribe.errors import StorageError, WrongRegion
from batchscribe.storage.access import Access
from batchscribe.storage.answer_checks import Answer, nonsense, region_in
from batchscribe.storage.bucket_uris import checked_key, split_bucket
from batchscribe.storage.http_client import MOST_OF_A_REFUSAL, REQUEST_SEC, HttpRequest
from batchscribe.storage.s3.s3_address import AWS, DEFAULT_REGION, bucket_url, checked_endpoint, region_of
from batchscribe.storage.s3.s3_client import BucketAddress, S3Client
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.storage.s3.s3_errors import is_error_document, is_nowhere, no_bucket

#: The success statuses of each method. Any other 2xx status, such as 204 for a recording, is invalid.
SUCCESSES = {
    "GET": frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}),
    "HEAD": frozenset({HTTPStatus.OK}),
    "PUT": frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}),
    "DELETE": frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT}),
}
NONE: frozenset[int] = frozenset()

Result = TypeVar("Result")


class Buckets:
    """The buckets of one side of a job, with cached regions. Thread-safe."""

    def __init__(self, access: Access, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns the time of signatures. Raises `InvalidSetting`."""
        self._access = access
        self._endpoint = checked_endpoint(access.settings)
        self._client = S3Client(clock, access.patience_sec)
        self._regions: dict[str, str] = {}

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

        With a `query`, the request is for the bucket itself. Raises `StorageError` for any other answer, or if there is
        none.
        """

        def ask(place: BucketAddress) -> Answer:
            url = place.url_of(checked_key(uri)) if query is None else place.url_of("", query)
            answer = self._client.ask(place, HttpRequest(method, url, headers or {}, body, limit_bytes), uri)
            if is_success(answer, method) or answer.status in also:
                return answer
            if answer.status < HTTPStatus.MULTIPLE_CHOICES and not is_error_document(answer.body):
                raise nonsense(uri, f"a {method} request was answered with status {answer.status}")
            if (query is not None or method == "PUT") and is_nowhere(answer):
                raise no_bucket(uri)
            raise self._client.refused(place, answer, uri, _look(place, uri))

        return self.with_newest_key(lambda: self._where_it_is(uri, ask))

    def with_newest_key(self, action: Callable[[], Result]) -> Result:
        """Run the action. Repeat it once if the credentials have expired and newer ones exist."""
        return self._access.with_newest(AwsCredentials, action)

    @property
    def _aws(self) -> AwsCredentials | None:
        return self._access.newest(AwsCredentials)

    def refused(self, uri: str, answer: Answer) -> StorageError:
        """Return the error for an answer that `also` accepted."""
        place = self._place(uri, self._region(split_bucket(uri)[0]))
        return self._client.refused(place, answer, uri, _look(place, uri))

    def looks_alike(self, uri: str, answer: Answer) -> bool:
        """Return whether the simplest request for this object gets the same status."""
        place = self._place(uri, self._region(split_bucket(uri)[0]))
        return self._client.ask(place, _look(place, uri), uri).status == answer.status

    def _where_it_is(self, uri: str, ask: Callable[[BucketAddress], Answer]) -> Answer:
        """Send the request to the assumed region. If the bucket is in another region, repeat it there."""
        bucket, _ = split_bucket(uri)
        region = self._region(bucket)
        try:
            return ask(self._place(uri, region))
        except WrongRegion as refusal:
            elsewhere = refusal.region or self._looked_up(bucket)
            if elsewhere is None or elsewhere == region:
                raise
        self._regions[bucket] = elsewhere
        return ask(self._place(uri, elsewhere))

    def _region(self, bucket: str) -> str:
        known = self._regions.get(bucket) or (self._aws and self._aws.region) or self._access.settings.s3_region
        if not known:
            known = DEFAULT_REGION if self._endpoint else self._looked_up(bucket) or DEFAULT_REGION
            self._regions[bucket] = known
        if region_in(known) is None:  # it becomes part of a host name
            raise WrongRegion(f"The region of bucket {bucket} is not a valid name; use one such as eu-west-1.")
        return known

    def _looked_up(self, bucket: str) -> str | None:
        within_sec = min(REQUEST_SEC, self._access.patience_sec or REQUEST_SEC)
        return region_of(bucket, self._endpoint or AWS, within_sec=within_sec)

    def _place(self, uri: str, region: str) -> BucketAddress:
        path_style = self._access.settings.s3_path_style
        bucket, _ = split_bucket(uri)
        url = bucket_url(bucket, endpoint=self._endpoint, region=region, path_style=path_style)
        return BucketAddress(url, region, self._aws)


def is_success(answer: Answer, method: str) -> bool:
    return answer.status in SUCCESSES[method] and not (
        answer.status == HTTPStatus.OK and is_error_document(answer.body)  # a 206 has the bytes of an object
    )


def _look(place: BucketAddress, uri: str) -> HttpRequest:
    """Return the simplest read-only request for the URI: one byte of the object, or a listing of one object."""
    _, key = split_bucket(uri)
    if key and not key.endswith("/"):
        return HttpRequest("GET", place.url_of(key), {"range": "bytes=0-0"})
    return HttpRequest("GET", place.url_of("", {"list-type": "2", "max-keys": "1", "prefix": key}), {})
