"""Access tokens of service accounts.

Source: https://developers.google.com/identity/protocols/oauth2/service-account#httprest. The token is always requested
from the operator's `BATCHSCRIBE_GCS_TOKEN_URL`: the `token_uri` of a tenant's key could name any host.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from urllib.parse import urlencode

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from batchscribe.errors import SecretKeyWrong
from batchscribe.storage.answer_checks import Answer, nonsense
from batchscribe.storage.gcs.gcs_credentials import GcpCredentials
from batchscribe.storage.gcs.gcs_errors import token_refusal
from batchscribe.storage.http_client import HttpRequest
from batchscribe.storage.retrying_client import RetryingClient

GOOGLE = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SEC = 3600  #: the longest that Google accepts
EARLY_SEC = 60.0  #: a token is replaced this long before it expires


class TokenSource:
    """The access tokens of one side of a job. Thread-safe. `clock` returns Unix seconds."""

    def __init__(self, url: str, client: RetryingClient, clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._minted: tuple[GcpCredentials, str, float] | None = None

    def token(self, credentials: GcpCredentials, uri: str) -> str:
        """Return an access token. `uri` is for messages. Raises `StorageError`."""
        if credentials.access_token is not None:
            return credentials.access_token
        with self._lock:
            if self._minted is None or self._minted[0] != credentials or self._clock() > self._minted[2]:
                self._minted = (credentials, *self._mint(credentials, uri))
            return self._minted[1]

    def drop(self, token: str) -> bool:
        """Forget a minted token that the storage rejected. Returns whether another one can be requested."""
        with self._lock:
            if self._minted is None or self._minted[1] != token:
                return False
            self._minted = None
            return True

    def _mint(self, credentials: GcpCredentials, uri: str) -> tuple[str, float]:
        """Request a token. Returns it and the time at which it should be replaced."""
        now = self._clock()
        form = urlencode({"grant_type": GRANT, "assertion": _assertion(credentials, uri, now)})
        headers = {"content-type": "application/x-www-form-urlencoded"}
        request = HttpRequest("POST", self._url, headers, form.encode())
        answer = self._client.ask(request, uri, lambda unsigned: unsigned)
        if answer.status != 200:
            raise token_refusal(answer, uri)
        token, lasts_sec = _read_token(answer, uri)
        return token, now + lasts_sec - EARLY_SEC


def _assertion(credentials: GcpCredentials, uri: str, now: float) -> str:
    claims = {
        "iss": credentials.client_email,
        "scope": SCOPE,
        "aud": GOOGLE,
        "iat": int(now),
        "exp": int(now) + ASSERTION_SEC,
    }
    headers = {"kid": credentials.private_key_id} if credentials.private_key_id else None
    return jwt.encode(claims, _private_key(credentials, uri), "RS256", headers=headers)


def _private_key(credentials: GcpCredentials, uri: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key((credentials.private_key or "").encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise SecretKeyWrong(
            f"{uri} cannot be requested: private_key is not an RSA key in PEM; copy it from the key file, with its "
            "line breaks."
        )
    return key


def _read_token(answer: Answer, uri: str) -> tuple[str, float]:
    try:
        data = json.loads(answer.body)
        token, lasts_sec = data["access_token"], float(data.get("expires_in", ASSERTION_SEC))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        token, lasts_sec = None, 0.0
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise nonsense(uri, "the token service sent no access token")
    return token, lasts_sec
