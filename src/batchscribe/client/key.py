"""Client authentication: a token signed with the secret for each request, or the plain key."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Protocol

import httpx2
import jwt

from batchscribe.errors import UsageError

CLOCK_SKEW_SEC = 30  #: the server's clock may be this far behind; clients of the original allow as much (contract 2)
TOKEN_SEC = 3600  #: the longest validity that the original's documentation recommends (contract 2)


class Key(Protocol):
    def bearer(self) -> str:
        """Return the value that follows `Bearer` in the next request."""
        ...


class PlainKey:
    def __init__(self, key: str) -> None:
        self._key = key

    def bearer(self) -> str:
        return self._key


class SigningKey:
    """A key pair that signs a JWT (HS256): `iss` is the key, and the secret is never sent."""

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = key, secret

    def bearer(self) -> str:
        now = int(time.time())
        claims = {"iss": self._key, "iat": now - CLOCK_SKEW_SEC, "exp": now + TOKEN_SEC}
        return jwt.encode(claims, self._secret, algorithm="HS256")


def key_of(api_key: str | None, api_secret: str | None) -> Key | None:
    """Return a signing key for a pair, or a plain key. Raises `UsageError` if it does not fit in a header."""
    if api_key and api_secret:
        return SigningKey(api_key, api_secret)
    alone = api_key or api_secret
    if not alone:
        return None
    if not alone.isascii() or not alone.isprintable() or " " in alone:
        raise UsageError("The API key contains invalid characters; copy it again.")
    return PlainKey(alone)


class BearerAuth(httpx2.Auth):
    """Adds the `Authorization` header to each request."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key.bearer()}"
        yield request
