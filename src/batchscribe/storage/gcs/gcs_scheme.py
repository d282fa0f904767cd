"""The record of `gs://`, and the check of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from batchscribe.check import Check
from batchscribe.settings import Settings
from batchscribe.storage.access import Access
from batchscribe.storage.endpoints import check_endpoint
from batchscribe.storage.gcs.gcs_credentials import FORM
from batchscribe.storage.scheme import Scheme, check_bucket_uris
from batchscribe.storage.store import Store


def _connect(access: Access) -> Store:
    from batchscribe.storage.gcs.gcs_store import GcsStore

    return GcsStore(access)


def _examine(settings: Settings) -> Iterator[Check]:
    from batchscribe.storage.gcs.gcs_client import checked_endpoint, checked_token_url

    yield from check_endpoint("GCS endpoint", lambda: checked_endpoint(settings))
    if settings.gcs_token_url is not None:
        yield from check_endpoint("GCS token URL", lambda: checked_token_url(settings))


GCS = Scheme(
    "gs",
    checker=check_bucket_uris,
    connect=_connect,
    credentials=FORM,
    settings=("gcs_endpoint", "gcs_token_url"),
    examine=_examine,
)
