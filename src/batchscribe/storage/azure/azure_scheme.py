"""The record of `az://`, and the check of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from batchscribe.check import Check
from batchscribe.settings import Settings
from batchscribe.storage.azure.azure_client import checked_endpoint
from batchscribe.storage.azure.azure_credentials import FORM
from batchscribe.storage.azure.azure_store import AzureStore
from batchscribe.storage.endpoints import check_endpoint
from batchscribe.storage.scheme import Scheme, check_bucket_uris
from batchscribe.wire.choices import Place


def _examine(settings: Settings) -> Iterator[Check]:
    return check_endpoint("Azure endpoint", lambda: checked_endpoint(settings))


AZURE = Scheme(
    "az",
    Place.AZURE,
    checker=check_bucket_uris,
    connect=AzureStore,
    credentials=FORM,
    settings=("azure_endpoint", "azure_account"),
    examine=_examine,
)
