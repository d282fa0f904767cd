"""Signing and verifying webhooks. Needs only the standard library."""

from __future__ import annotations

import hmac

TIMESTAMP_HEADER = "x-zm-request-timestamp"  #: Unix seconds, in digits
SIGNATURE_HEADER = "x-zm-signature"
TOLERANCE_SEC = 300  #: how much the clocks of sender and receiver may differ, and how long a request can be replayed

_MAX_DIGITS = 15


def signature(body: bytes, *, secret: str, timestamp: int) -> str:
    """Return the value of `SIGNATURE_HEADER`: `sha256=` and 64 lower-case hex digits."""
    return _sign(body, secret, str(timestamp))


def verify(
    body: bytes, *, secret: str, timestamp: str, signature: str, now: float, tolerance_sec: int = TOLERANCE_SEC
) -> bool:
    """Return whether a request is recent and signed with the secret. `body` is the raw body as received."""
    fault = find_fault(
        body, secret=secret, timestamp=timestamp, signature=signature, now=now, tolerance_sec=tolerance_sec
    )
    return fault is None


def find_fault(
    body: bytes, *, secret: str, timestamp: str, signature: str, now: float, tolerance_sec: int = TOLERANCE_SEC
) -> str | None:
    """Return why a request cannot be trusted; None if it can. An empty header counts as missing."""
    if not timestamp or not signature:
        return f"{SIGNATURE_HEADER if timestamp else TIMESTAMP_HEADER} is missing"
    if not _is_number(timestamp):
        return f"{TIMESTAMP_HEADER} is not a number of seconds"
    off_sec = abs(now - int(timestamp))
    if off_sec > tolerance_sec:
        return f"{TIMESTAMP_HEADER} is off by {off_sec:.0f} s; at most {tolerance_sec} s are allowed"
    expected = _sign(body, secret, timestamp)
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
        return f"{SIGNATURE_HEADER} does not match this body, timestamp and secret"
    return None


def _sign(body: bytes, secret: str, timestamp: str) -> str:
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, "sha256")
    return f"sha256={digest.hexdigest()}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
