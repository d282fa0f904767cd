"""The record of `https://`."""

from __future__ import annotations

from functools import partial

from batchscribe.outbound.policy import Policy
from batchscribe.storage.access import Access
from batchscribe.storage.scheme import CheckUri, Scheme
from batchscribe.storage.store import Store


def _checker(access: Access) -> CheckUri:
    from batchscribe.storage.https.web_store import check_web_url

    return partial(check_web_url, policy=Policy.of_inputs(access.settings))


def _connect(access: Access) -> Store:
    from batchscribe.storage.https.web_store import WebStore

    return WebStore(Policy.of_inputs(access.settings), access.signed_urls, patience_sec=access.patience_sec)


HTTPS = Scheme("https", checker=_checker, connect=_connect)
