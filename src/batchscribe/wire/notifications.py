"""The webhook of a job."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo

from batchscribe.wire.limits import limits_of
from batchscribe.wire.model import Text, WireModel, refusal

MAX_SECRET_CHARS = 256  # contract 1.2


def _validate_url(url: str, info: ValidationInfo) -> str:
    schemes = ("https", "http") if limits_of(info).plain_webhooks else ("https",)
    if not _is_url(url, schemes):
        allowed = " or ".join(f"{scheme}://" for scheme in schemes)
        raise refusal(f"A webhook URL must start with {allowed} and have a valid host and port.")
    return url


def _is_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(_origin(url))
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port or address
        return False


def _origin(url: str) -> str:
    """Return scheme, host and port. `urlsplit` caches its argument, and the rest of the URL may be a secret."""
    scheme, separator, rest = url.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    return f"{scheme}{separator}{authority.rpartition('@')[2]}"


class Notifications(WireModel):
    """A webhook URL and its signing secret."""

    webhook_url: Annotated[Text, AfterValidator(_validate_url), Field(json_schema_extra={"pattern": "^https?://.+"})]
    secret: Annotated[SecretStr, Field(max_length=MAX_SECRET_CHARS)] | None = None
