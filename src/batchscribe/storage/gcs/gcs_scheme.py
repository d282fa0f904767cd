"""The record of `gs://`, and the check of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from batchscribe.check import Check
from batchscribe.settings import Settings
from batchscribe.storage.endpoints import check_endpoint
from batchscribe.storage.gcs.gcs_client import checked_endpoint, checked_token_url
from batchscribe.storage.gcs.gcs_credentials import FORM
from batchscribe.storage.gcs.gcs_store import GcsStore
from batchscribe.storage.scheme import Scheme, check_bucket_uris


def _examine(settings: Settings) -> Iterator[Check]:
    yield from check_endpoint("GCS endpoint", lambda: checked_endpoint(settings))
    if settings.gcs_token_url is not None:
        yield from check_endpoint("GCS token URL", lambda: checked_token_url(settings))


GCS = Scheme(
    "gs",
    checker=check_bucket_uris,
    connect=GcsStore,
    credentials=FORM,
    settings=("gcs_endpoint", "gcs_token_url"),
    examine=_examine,
)
