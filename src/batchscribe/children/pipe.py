"""Pipes between parent and child. While the parent waits, it checks whether the child hangs.

A child is not trusted, so `parse` accepts only standard JSON with finite numbers.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Callable
from functools import partial
from math import isfinite
from multiprocessing.connection import Connection
from typing import Any

from batchscribe.children.watchdog import LOOK_SEC, Watchdog


def parse(text: bytes | bytearray) -> Any:
    """Parse JSON. Raises `ValueError`, also for NaN, Infinity, 1e400, excessive nesting and bytes that are not text."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _refuse(constant: str) -> float:
    """Raise `ValueError` for NaN and Infinity. They are not JSON, but Python's parser accepts them."""
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    """Return the number. Raises `ValueError` if it is infinite as a float: 1e400 is valid JSON."""
    value = float(number)
    if not isfinite(value):
        raise ValueError("a number that does not fit into a float")
    return value


class Pipe:
    """One end of a pipe. The parent's end has a watchdog; its `read` and `write` also raise `ChildHangs`."""

    def __init__(self, connection: Connection, watchdog: Watchdog | None = None) -> None:
        self._connection = connection
        self._watchdog = watchdog
        if watchdog is not None:
            _limit_waiting(connection, LOOK_SEC)

    def write(self, *parts: bytes | memoryview) -> None:
        """Write all parts without copying them. Raises `OSError` if the other end is closed."""
        left = [memoryview(part).cast("B") for part in parts]
        while left:
            written = self._repeat(partial(os.writev, self._connection.fileno(), left))
            while left and written >= len(left[0]):
                written -= len(left.pop(0))
            if left:
                left[0] = left[0][written:]

    def read(self, length: int) -> bytearray:
        """Read exactly `length` bytes into one buffer. Raises `EOFError` or `OSError` if the other end is closed."""
        message = bytearray(length)
        left = memoryview(message)
        while left:
            got = self._repeat(partial(os.readv, self._connection.fileno(), [left]))
            if got == 0:
                raise EOFError
            left = left[got:]
        return message

    def wait(self, sec: float) -> bool:
        """Wait for something to read, at most `sec` seconds. Returns whether there is something."""
        is_there = self._connection.poll(sec)
        if not is_there and self._watchdog is not None:
            self._watchdog.look_if_due()
        return is_there

    def close(self) -> None:
        self._connection.close()

    def _repeat(self, call: Callable[[], int]) -> int:
        """Repeat the call until it succeeds. Each time it blocks for `LOOK_SEC`, check the child."""
        while True:
            try:
                return call()
            except BlockingIOError:
                if self._watchdog is None:
                    raise
                self._watchdog.look()


def _limit_waiting(connection: Connection, sec: float) -> None:
    """Make reads and writes raise `BlockingIOError` if they block for longer, even within a message."""
    whole_sec = int(sec)
    limit = struct.pack("@ll", whole_sec, int((sec - whole_sec) * 1_000_000))  # struct timeval
    pipe = socket.socket(fileno=connection.fileno())
    try:
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    finally:
        pipe.detach()  # the connection closes it
