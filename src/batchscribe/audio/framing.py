"""Messages between the decoder and its parent: a JSON header, a newline, raw bytes.

Nothing is ever unpickled: the media may have taken over the child, and a pickle from there would run code here.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

MAX_HEADER_BYTES = 16 * 1024
MAX_MESSAGE_BYTES = 8 * 2**20  #: a segment of 30 s is 1.9 MB, a block of a file 1 MiB
_LENGTH = struct.Struct("!i")
_ALIGNMENT = 16  #: so that float32 samples behind the header can be used in place


class Gibberish(Exception):
    """The other side sent something that is not a message."""


def send(connection: Connection, header: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
    """One message, without a copy of the payload. Raises OSError when nobody is left to read it."""
    line = json.dumps(header).encode()
    line += b" " * (-(len(line) + 1) % _ALIGNMENT) + b"\n"
    parts = [memoryview(_LENGTH.pack(len(line) + len(payload)) + line), memoryview(payload)]
    while parts:
        written = os.writev(connection.fileno(), parts)
        while parts and written >= len(parts[0]):
            written -= len(parts.pop(0))
        if parts:
            parts[0] = parts[0][written:]


def receive(connection: Connection) -> tuple[dict[str, Any], memoryview]:
    """The next message. Raises EOFError or OSError when the other side is gone, `Gibberish` when it babbles."""
    (length,) = _LENGTH.unpack(_read(connection, _LENGTH.size))
    if not 0 <= length <= MAX_MESSAGE_BYTES:
        raise Gibberish("a message of an impossible length")
    message = _read(connection, length)
    end = message.find(b"\n", 0, MAX_HEADER_BYTES)
    if end < 0:
        raise Gibberish("a message without a header")
    try:
        header = json.loads(message[:end])
    except (ValueError, RecursionError) as error:
        raise Gibberish("a header that is not JSON") from error
    if not isinstance(header, dict):
        raise Gibberish("a header that is not an object")
    return header, memoryview(message)[end + 1 :]


def _read(connection: Connection, length: int) -> bytearray:
    """Straight into one buffer: `Connection.recv_bytes` would copy each message three times."""
    message = bytearray(length)
    left = memoryview(message)
    while left:
        got = os.readv(connection.fileno(), [left])
        if got == 0:
            raise EOFError
        left = left[got:]
    return message
