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

from batchscribe.errors import SecretKeyWrong, StorageError
from batchscribe.storage.answer_checks import Answer, nonsense
from batchscribe.storage.gcs.gcs_credentials import GcpCredentials
from batchscribe.storage.gcs.gcs_errors import token_refusal
from batchscribe.storage.http_client import HttpRequest
from batchscribe.storage.retrying_client import RetryingClient

GOOGLE = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DAY_SEC = 86_400.0
ASSERTION_SEC = 3600  #: the longest that Google accepts
EARLY_SEC = 60.0  #: a token is replaced this long before it expires
FAILED_SEC = 2.0  #: for which a failure is the answer to all threads


class TokenSource:
    """The access tokens of one side of a job. Thread-safe. `clock` returns Unix seconds."""

    def __init__(self, url: str, client: RetryingClient, clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._minted: tuple[GcpCredentials, str, float] | None = None
        self._failed: tuple[GcpCredentials, StorageError, float] | None = None

    def token(self, credentials: GcpCredentials, uri: str) -> str:
        """Return an access token. `uri` is for messages. Raises `StorageError`."""
        if credentials.access_token is not None:
            return credentials.access_token
        with self._lock:
            if self._minted is None or self._minted[0] != credentials or self._clock() > self._minted[2]:
                self._minted = (credentials, *self._mint_unless_just_failed(credentials, uri))
            return self._minted[1]

    def replace(self, rejected: str, credentials: GcpCredentials, uri: str) -> str:
        """Return another token than the one that the storage rejected; the same if it was given and not minted."""
        with self._lock:
            if self._minted is not None and self._minted[1] == rejected:
                self._minted = None
        return self.token(credentials, uri)

    def _mint_unless_just_failed(self, credentials: GcpCredentials, uri: str) -> tuple[str, float]:
        """Request a token, unless a request that this thread waited for has failed: it would only fail again."""
        if self._failed is not None and self._failed[0] == credentials and self._clock() < self._failed[2]:
            raise type(self._failed[1])(self._failed[1].message)
        try:
            return self._mint(credentials, uri)
        except StorageError as error:
            self._failed = credentials, type(error)(error.message), self._clock() + FAILED_SEC
            raise

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
    is_token = isinstance(token, str) and token != "" and token.isascii() and token.isprintable()
    if not is_token or not 0 < lasts_sec <= DAY_SEC:
        raise nonsense(uri, "the token service sent no access token")
    return token, lasts_sec
