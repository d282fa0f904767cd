"""Tokens of clients and of attackers."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import jwt

from tests.contract.server import Key

HOUR_SEC = 3600
DAY_SEC = 24 * HOUR_SEC


def token(key: Key, *, age_sec: float = 30, life_sec: float = HOUR_SEC, secret: str | None = None) -> str:
    """Create a token like the vendor's clients: `iat` is half a minute ago."""
    issued = int(time.time() - age_sec)
    claims = {"iss": key.api_key, "iat": issued, "exp": int(issued + life_sec)}
    return jwt.encode(claims, secret or key.api_secret, algorithm="HS256")


def forged(header: object, claims: object, secret: str, digest: str = "sha256") -> str:
    """Sign a token with an HMAC, whatever the header and the claims say. Both may be text other than JSON."""
    signed = f"{encoded(header)}.{encoded(claims)}"
    signature = hmac.new(secret.encode(), signed.encode(), digest).digest()
    return f"{signed}.{_base64(signature)}"


def good_claims(key: Key, **changes: Any) -> dict[str, Any]:
    """Return valid claims. `changes` replace claims; `...` removes one."""
    now = int(time.time())
    claims = {"iss": key.api_key, "iat": now - 30, "exp": now + HOUR_SEC} | changes
    return {name: value for name, value in claims.items() if value is not ...}


def encoded(part: object) -> str:
    return _base64(part.encode(errors="surrogatepass") if isinstance(part, str) else json.dumps(part).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
