"""How a webhook is signed, and how its receiver tells. Nothing but the standard library is needed."""

from __future__ import annotations

import hmac

TIMESTAMP_HEADER = "x-zm-request-timestamp"  #: Unix seconds, in digits
SIGNATURE_HEADER = "x-zm-signature"
TOLERANCE_SEC = 300  #: how far the clocks of sender and receiver may be apart, and how long a request can be replayed

_MAX_DIGITS = 15


def signature(body: bytes, *, secret: str, timestamp: int) -> str:
    """The value of `SIGNATURE_HEADER`: `sha256=` and 64 lower-case hex digits."""
    return _signed(body, secret, str(timestamp))


def verify(
    body: bytes, *, secret: str, timestamp: str, signature: str, now: float, tolerance_sec: int = TOLERANCE_SEC
) -> bool:
    """Whether a request is from somebody who knows the secret, and recent. `body` is as received, byte for byte."""
    fault = fault_of(
        body, secret=secret, timestamp=timestamp, signature=signature, now=now, tolerance_sec=tolerance_sec
    )
    return fault is None


def fault_of(
    body: bytes, *, secret: str, timestamp: str, signature: str, now: float, tolerance_sec: int = TOLERANCE_SEC
) -> str | None:
    """Why a request is not to be trusted; None when it is. An empty header counts as absent."""
    if not timestamp or not signature:
        return f"{SIGNATURE_HEADER if timestamp else TIMESTAMP_HEADER} is missing"
    if not _is_number(timestamp):
        return f"{TIMESTAMP_HEADER} is not a number of seconds"
    off_sec = abs(now - int(timestamp))
    if off_sec > tolerance_sec:
        return f"{TIMESTAMP_HEADER} is {off_sec:.0f} s off, and {tolerance_sec} s are allowed"
    expected = _signed(body, secret, timestamp)
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
        return f"{SIGNATURE_HEADER} does not belong to this body, timestamp and secret"
    return None


def _signed(body: bytes, secret: str, timestamp: str) -> str:
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, "sha256")
    return f"sha256={digest.hexdigest()}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
