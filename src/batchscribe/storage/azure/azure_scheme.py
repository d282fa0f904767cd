"""The record of `az://`, and the check of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from batchscribe.check import Check
from batchscribe.settings import Settings
from batchscribe.storage.access import Access
from batchscribe.storage.azure.azure_credentials import FORM
from batchscribe.storage.endpoints import check_endpoint
from batchscribe.storage.scheme import Scheme, check_bucket_uris
from batchscribe.storage.store import Store


def _connect(access: Access) -> Store:
    from batchscribe.storage.azure.azure_store import AzureStore

    return AzureStore(access)


def _examine(settings: Settings) -> Iterator[Check]:
    return check_endpoint("Azure endpoint", lambda: _address(settings))


def _address(settings: Settings) -> str | None:
    """Return the endpoint; None if its host depends on the account of each job."""
    from batchscribe.storage.azure.azure_client import ACCOUNT, checked_endpoint

    endpoint, account = checked_endpoint(settings) or "", settings.azure_account
    if account is None and ACCOUNT in urlsplit(endpoint).netloc:
        return None
    return endpoint.replace(ACCOUNT, account or "") or None


AZURE = Scheme(
    "az",
    checker=check_bucket_uris,
    connect=_connect,
    credentials=FORM,
    settings=("azure_endpoint", "azure_account"),
    examine=_examine,
)
