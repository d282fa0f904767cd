"""One deadline for a whole request: a receiver that sends a byte a second holds nobody longer than that."""

from __future__ import annotations

import ssl
import time
from typing import Any, Protocol

import httpcore2


class Deadline:
    """So many seconds from now."""

    def __init__(self, total_sec: float) -> None:
        self._at = time.monotonic() + total_sec

    def left_sec(self, at_most: float | None = None) -> float:
        """Raises `httpcore2.TimeoutException` when nothing is left."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpcore2.TimeoutException("the time is up")
        return left if at_most is None else min(left, at_most)


class TimeLeft(Protocol):
    """A deadline, or whichever one holds for the request that is under way."""

    def left_sec(self, at_most: float | None = None) -> float: ...


class BoundedStream(httpcore2.NetworkStream):
    """A connection of which no call outlasts the deadline, and none begins after it."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: TimeLeft) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_sec(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left_sec(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left_sec(timeout))
        return BoundedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
