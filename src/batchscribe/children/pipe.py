"""Bytes between a parent and its child. While the parent waits, it looks whether the child hangs."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection

from batchscribe.children.watchdog import LOOK_SEC, Watchdog


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
