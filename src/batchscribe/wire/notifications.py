"""Whom to tell when a job is done."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from batchscribe.wire.model import Text, WireModel, refusal

MAX_SECRET_CHARS = 256  # contract 1.2


def _https_url(url: str) -> str:
    if not _is_https_url(url):
        raise refusal("A webhook URL starts with https:// and names a host.")
    return url


def _is_https_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an address that is none
        return False


class Notifications(WireModel):
    """One signed request to a URL of the client's."""

    webhook_url: Annotated[Text, AfterValidator(_https_url)]
    secret: Annotated[SecretStr, Field(max_length=MAX_SECRET_CHARS)] | None = None
