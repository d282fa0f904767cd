"""Session tokens that expire when a test says so, for the bucket of `bucket.py`."""

from __future__ import annotations

from collections.abc import Callable

from batchscribe.storage.s3.s3_credentials import AwsCredentials
from tests.servers.bucket import refusal
from tests.servers.scripted import Asked, Reply


def keys(token: str) -> AwsCredentials:
    return AwsCredentials("key", "secret", session_token=token)


class Tokens:
    """`valid` tokens are accepted. `expire_at` gets every request with one; if it returns True, all tokens expire.

    Only requests for which `is_checked` returns True need a token.
    """

    def __init__(self, *valid: str) -> None:
        self.valid = set(valid)
        self.expire_at: Callable[[Asked], bool] = lambda _asked: False
        self.is_checked: Callable[[Asked], bool] = lambda _asked: True
        self.refused = 0

    def check(self, asked: Asked) -> Reply | None:
        if not self.is_checked(asked):
            return None
        if self.expire_at(asked):
            self.valid.clear()
        if asked.headers.get("x-amz-security-token") in self.valid:
            return None
        self.refused += 1
        return refusal(400, "ExpiredToken")


def is_recording(asked: Asked) -> bool:
    return asked.path.endswith(".wav")


def is_opened(*names: str) -> Callable[[Asked], bool]:
    """Return whether one of these files is opened. Files in progress at once are opened in any order."""
    return lambda asked: asked.path.endswith(tuple(f"/{name}" for name in names))
