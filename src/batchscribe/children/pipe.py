"""Bytes between a parent and its child. While the parent waits, it checks whether the child hangs.

A child may send anything, so `parse` accepts only standard JSON with finite numbers.
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
    """Raises `ValueError`, also for NaN, Infinity, 1e400, nesting without end, and bytes that are no text."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _refuse(constant: str) -> float:
    """JSON has no NaN and no Infinity, but Python's parser takes them."""
    raise ValueError(f"{constant} is no JSON")


def _finite(number: str) -> float:
    """1e400 is JSON, and infinite."""
    value = float(number)
    if not isfinite(value):
        raise ValueError("a number that no float can hold")
    return value


class Pipe:
    """One end of a pipe. With a watchdog it is the parent's: `read` and `write` then also raise `ChildHangs`."""

    def __init__(self, connection: Connection, watchdog: Watchdog | None = None) -> None:
        self._connection = connection
        self._watchdog = watchdog
        if watchdog is not None:
            _limit_waiting(connection, LOOK_SEC)

    def write(self, *parts: bytes | memoryview) -> None:
        """All of them, without a copy. Raises `OSError` when nobody is left to read it."""
        left = [memoryview(part).cast("B") for part in parts]
        while left:
            written = self._repeat(partial(os.writev, self._connection.fileno(), left))
            while left and written >= len(left[0]):
                written -= len(left.pop(0))
            if left:
                left[0] = left[0][written:]

    def read(self, length: int) -> bytearray:
        """Exactly `length` bytes, into one buffer. Raises `EOFError` or `OSError` when the other end is gone."""
        message = bytearray(length)
        left = memoryview(message)
        while left:
            got = self._repeat(partial(os.readv, self._connection.fileno(), [left]))
            if got == 0:
                raise EOFError
            left = left[got:]
        return message

    def close(self) -> None:
        self._connection.close()

    def _repeat(self, call: Callable[[], int]) -> int:
        """Make the call until it succeeds. After each that waited for `LOOK_SEC` in vain, look at the child."""
        while True:
            try:
                return call()
            except BlockingIOError:
                if self._watchdog is None:
                    raise
                self._watchdog.look()


def _limit_waiting(connection: Connection, sec: float) -> None:
    """A read or write that waits for longer raises `BlockingIOError`, in the middle of a message, too."""
    whole_sec = int(sec)
    limit = struct.pack("@ll", whole_sec, int((sec - whole_sec) * 1_000_000))  # struct timeval
    pipe = socket.socket(fileno=connection.fileno())
    try:
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    finally:
        pipe.detach()  # the connection closes it
