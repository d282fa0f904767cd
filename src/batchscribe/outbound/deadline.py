"""A deadline for a whole request, so that a receiver that sends one byte per second cannot prolong it."""

from __future__ import annotations

import ssl
import time
from typing import Any, Protocol

import httpcore2


class Deadline:
    """A deadline `total_sec` seconds from now."""

    def __init__(self, total_sec: float) -> None:
        self._at = time.monotonic() + total_sec

    def left_sec(self, at_most: float | None = None) -> float:
        """Return the remaining seconds. Raises `httpcore2.TimeoutException` if there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpcore2.TimeoutException("the deadline has passed")
        return left if at_most is None else min(left, at_most)


class TimeLeft(Protocol):
    """A deadline, or an object that has the deadline of the current request."""

    def left_sec(self, at_most: float | None = None) -> float: ...


class BoundedStream(httpcore2.NetworkStream):
    """A connection on which no call lasts beyond the deadline or begins after it."""

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
