"""The record of `s3://`, and the check of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from batchscribe.check import Check, warning
from batchscribe.settings import Settings
from batchscribe.storage.access import Access
from batchscribe.storage.endpoints import check_endpoint
from batchscribe.storage.s3.s3_credentials import FORM
from batchscribe.storage.scheme import Scheme, check_bucket_uris
from batchscribe.storage.store import Store

ENDPOINT = "S3 endpoint"


def _connect(access: Access) -> Store:
    from batchscribe.storage.s3.s3_store import S3Store

    return S3Store(access)


def _examine(settings: Settings) -> Iterator[Check]:
    """Check that a custom endpoint answers, its clock, and the settings for it. AWS itself is not checked."""
    from batchscribe.storage.s3.s3_address import checked_endpoint

    if settings.s3_endpoint is None and (settings.s3_path_style or settings.s3_allow_http):
        yield warning(
            ENDPOINT,
            "BATCHSCRIBE_S3_PATH_STYLE and BATCHSCRIBE_S3_ALLOW_HTTP apply to an endpoint, but none is set.",
            "Set BATCHSCRIBE_S3_ENDPOINT, or omit them for AWS.",
        )
    yield from check_endpoint(ENDPOINT, lambda: checked_endpoint(settings))


S3 = Scheme(
    "s3",
    checker=check_bucket_uris,
    connect=_connect,
    credentials=FORM,
    settings=("s3_endpoint", "s3_region", "s3_path_style", "s3_allow_http"),
    examine=_examine,
)
