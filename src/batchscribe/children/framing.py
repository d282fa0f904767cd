"""Messages between a confined child and its parent: a JSON header, a newline, raw bytes.

Pickle is never used: hostile media may control the child, and unpickling its data could run code in the parent.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from batchscribe.children.pipe import Pipe, parse

MAX_HEADER_BYTES = 16 * 1024
MAX_MESSAGE_BYTES = 8 * 2**20  #: a 30 s window has 1.9 MB, a file block 1 MiB
_LENGTH = struct.Struct("!i")
_ALIGNMENT = 16  #: so float32 samples after the header can be used in place


class Gibberish(Exception):
    """An invalid message from the other side."""


def send(pipe: Pipe, header: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
    """Send one message. Raises the errors of `Pipe.write`."""
    line = json.dumps(header).encode()
    line += b" " * (-(len(line) + 1) % _ALIGNMENT) + b"\n"
    pipe.write(_LENGTH.pack(len(line) + len(payload)) + line, payload)


def receive(pipe: Pipe) -> tuple[dict[str, Any], memoryview]:
    """Receive the next message. Raises `Gibberish` and the errors of `Pipe.read`."""
    (length,) = _LENGTH.unpack(pipe.read(_LENGTH.size))
    if not 0 <= length <= MAX_MESSAGE_BYTES:
        raise Gibberish("a message of an impossible length")
    message = pipe.read(length)
    end = message.find(b"\n", 0, MAX_HEADER_BYTES)
    if end < 0:
        raise Gibberish("a message without a header")
    try:
        header = parse(message[:end])
    except ValueError as error:
        raise Gibberish("a header that is not JSON") from error
    if not isinstance(header, dict):
        raise Gibberish("a header that is not an object")
    return header, memoryview(message)[end + 1 :]
