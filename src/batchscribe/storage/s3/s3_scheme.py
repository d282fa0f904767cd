"""The record of `s3://`, and the check of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from batchscribe.check import Check
from batchscribe.settings import Settings
from batchscribe.storage.endpoint_check import check_endpoint
from batchscribe.storage.s3.s3_address import checked_endpoint
from batchscribe.storage.s3.s3_credentials import FORM
from batchscribe.storage.s3.s3_store import S3Store
from batchscribe.storage.scheme import Scheme, check_bucket_uris
from batchscribe.wire.choices import Place


def _examine(settings: Settings) -> Iterator[Check]:
    """Check that a custom endpoint answers, and its clock. AWS itself is not checked."""
    return check_endpoint("S3 endpoint", lambda: checked_endpoint(settings))


S3 = Scheme(
    "s3",
    Place.S3,
    checker=check_bucket_uris,
    connect=S3Store,
    credentials=FORM,
    settings=("s3_endpoint", "s3_region", "s3_path_style", "s3_allow_http"),
    examine=_examine,
)
