"""Requests of one job side to its buckets, each sent to where its bucket is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Set
from http import HTTPStatus
from typing import TypeVar

from batchscribe.errors import CredentialsExpired, ObjectNotFound, StorageError, WrongRegion
from batchscribe.storage.access import Access, AwsCredentials
from batchscribe.storage.answer_checks import Answer, nonsense, region_in
from batchscribe.storage.http_client import MOST_OF_A_REFUSAL, REQUEST_SEC, HttpRequest
from batchscribe.storage.roots import split_s3
from batchscribe.storage.s3_address import AWS, DEFAULT_REGION, bucket_url, checked_endpoint, region_of
from batchscribe.storage.s3_client import BucketAddress, S3Client
from batchscribe.storage.s3_errors import is_error_document, is_nowhere, no_bucket

#: The statuses of success that each method may have. Another one, such as 204 for a recording, proves nothing.
SUCCESSES = {
    "GET": frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}),
    "HEAD": frozenset({HTTPStatus.OK}),
    "PUT": frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}),
    "DELETE": frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT}),
}
NONE: frozenset[int] = frozenset()

Result = TypeVar("Result")


class Buckets:
    """Remembers the region of each bucket. Thread-safe."""

    def __init__(self, access: Access, clock: Callable[[], float] = time.time) -> None:
        """`clock` is what signatures are dated by. Raises `InvalidSetting`."""
        self._access = access
        self._endpoint = checked_endpoint(access)
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
        """A success, or an answer with one of the statuses of `also`; with a `query` it is of the bucket itself.

        Raises the `StorageError` of any other answer, or of none.
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
        """Do it again if the key has expired and there is a newer one."""
        used = self._aws
        try:
            return action()
        except CredentialsExpired:
            if self._access.renewable is None:
                raise
            self._access.renewable.look()
            if self._aws == used:
                raise
        return action()

    @property
    def _aws(self) -> AwsCredentials | None:
        """Asked for with each request, so open recordings and listings go on with a fresh key."""
        renewable = self._access.renewable
        return self._access.aws if renewable is None else renewable.aws

    def refused(self, uri: str, answer: Answer) -> StorageError:
        """What an answer that `also` let through means all the same."""
        place = self._place(uri, self._region(split_s3(uri)[0]))
        return self._client.refused(place, answer, uri, _look(place, uri))

    def looks_alike(self, uri: str, answer: Answer) -> bool:
        """Whether the storage answers the simplest request for this object with the same status."""
        place = self._place(uri, self._region(split_s3(uri)[0]))
        return self._client.ask(place, _look(place, uri), uri).status == answer.status

    def _where_it_is(self, uri: str, ask: Callable[[BucketAddress], Answer]) -> Answer:
        """Ask in the region the bucket is thought to be in and, when the storage names another, once more there."""
        bucket, _ = split_s3(uri)
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
        known = self._regions.get(bucket) or (self._aws and self._aws.region) or self._access.s3_region
        if not known:
            known = DEFAULT_REGION if self._endpoint else self._looked_up(bucket) or DEFAULT_REGION
            self._regions[bucket] = known
        if region_in(known) is None:  # it becomes part of a host's name
            raise WrongRegion(f"The region given for bucket {bucket} is no region's name; write one such as eu-west-1.")
        return known

    def _looked_up(self, bucket: str) -> str | None:
        within_sec = min(REQUEST_SEC, self._access.patience_sec or REQUEST_SEC)
        return region_of(bucket, self._endpoint or AWS, within_sec=within_sec)

    def _place(self, uri: str, region: str) -> BucketAddress:
        path_style = self._access.s3_path_style
        bucket, _ = split_s3(uri)
        url = bucket_url(bucket, endpoint=self._endpoint, region=region, path_style=path_style)
        return BucketAddress(url, region, self._aws)


def is_success(answer: Answer, method: str) -> bool:
    return answer.status in SUCCESSES[method] and not (
        answer.status == HTTPStatus.OK and is_error_document(answer.body)  # what comes in ranges is an object
    )


def checked_key(uri: str) -> str:
    """Raises `StorageError` for what cannot be the key of one object."""
    _, key = split_s3(uri)
    if not key or key.endswith("/"):
        raise ObjectNotFound(f"{uri} is a folder; name an object in it.")
    if {".", ".."} & set(key.split("/")):
        raise StorageError(f"{uri} has a key that cannot be addressed: '.' or '..' between slashes.")
    return key


def _look(place: BucketAddress, uri: str) -> HttpRequest:
    """The simplest request for the same place, which changes nothing: one byte of the object, or a listing of one."""
    _, key = split_s3(uri)
    if key and not key.endswith("/"):
        return HttpRequest("GET", place.url_of(key), {"range": "bytes=0-0"})
    return HttpRequest("GET", place.url_of("", {"list-type": "2", "max-keys": "1", "prefix": key}), {})
