"""Authorization of requests to Azure Blob Storage: Shared Key, shared access signatures and OAuth tokens.

Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key. Tests send signatures to
Azurite, which verifies them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit

from batchscribe.errors import SecretKeyWrong
from batchscribe.storage.azure.azure_credentials import AzureCredentials
from batchscribe.storage.http_client import HttpRequest

API_VERSION = "2023-11-03"
#: The headers in the string to sign, in this order. The date is in `x-ms-date` instead.
_SIGNED = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)
_SAS = re.compile(r"\??[\w%&=.:+/~*,-]+", re.ASCII)


def authorized(request: HttpRequest, credentials: AzureCredentials | None, uri: str, moment: float) -> HttpRequest:
    """Return the request with its authorization. `moment` is in Unix seconds.

    Raises `SecretKeyWrong` if the key or the signature is malformed.
    """
    date = format_datetime(datetime.fromtimestamp(moment, UTC), usegmt=True)
    headers = {**request.headers, "x-ms-date": date, "x-ms-version": API_VERSION}
    if credentials is None:
        return replace(request, headers=headers)
    if credentials.access_token is not None:
        return replace(request, headers={**headers, "authorization": f"Bearer {credentials.access_token}"})
    if credentials.sas_token is not None:
        if not _SAS.fullmatch(credentials.sas_token):
            raise SecretKeyWrong(f"{uri} cannot be requested: sas_token is no shared access signature; copy it again.")
        separator = "&" if "?" in request.url else "?"
        url = f"{request.url}{separator}{credentials.sas_token.removeprefix('?')}"
        return replace(request, headers=headers, url=url)
    if credentials.account_key is None:
        return replace(request, headers=headers)
    text = string_to_sign(replace(request, headers=headers), credentials.account_name)
    digest = hmac.new(_decoded(credentials.account_key, uri), text.encode(), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return replace(request, headers={**headers, "authorization": f"SharedKey {credentials.account_name}:{signature}"})


def string_to_sign(request: HttpRequest, account: str) -> str:
    """Return the canonical form of a request. Header names are in lower case."""
    length = {"content-length": str(len(request.body))} if request.body else {}
    headers = {**request.headers, **length}
    named = sorted((name, value) for name, value in headers.items() if name.startswith("x-ms-"))
    parts = urlsplit(request.url)
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    return "\n".join(
        [
            request.method,
            *(headers.get(name, "") for name in _SIGNED),
            *(f"{name}:{value}" for name, value in named),
            f"/{account}{parts.path}",
            *(f"{name}:{value}" for name, value in query),
        ]
    )


def has_expired(credentials: AzureCredentials | None, moment: float) -> bool:
    """Return whether the shared access signature has expired, by its own date."""
    if credentials is None or credentials.sas_token is None:
        return False
    ends = parse_qs(credentials.sas_token.removeprefix("?")).get("se", [""])[0]
    try:
        end = datetime.fromisoformat(ends.replace("Z", "+00:00"))
    except ValueError:
        return False
    return (end if end.tzinfo else end.replace(tzinfo=UTC)).timestamp() < moment


def _decoded(account_key: str, uri: str) -> bytes:
    try:
        return base64.b64decode(account_key, validate=True)
    except ValueError:  # also for characters outside of ASCII
        raise SecretKeyWrong(f"{uri} cannot be requested: account_key is not Base64; copy it again.") from None
