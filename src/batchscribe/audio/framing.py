"""Messages between the decoder and its parent: a JSON header, a newline, raw bytes.

Nothing is ever unpickled: the media may have taken over the child, and a pickle from there would run code here.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from batchscribe.children.pipe import Pipe, parse

MAX_HEADER_BYTES = 16 * 1024
MAX_MESSAGE_BYTES = 8 * 2**20  #: a window of 30 s is 1.9 MB, a block of a file 1 MiB
_LENGTH = struct.Struct("!i")
_ALIGNMENT = 16  #: so that float32 samples behind the header can be used in place


class Gibberish(Exception):
    """The other side sent something that is not a message."""


def send(pipe: Pipe, header: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
    """One message. Raises as `Pipe.write`."""
    line = json.dumps(header).encode()
    line += b" " * (-(len(line) + 1) % _ALIGNMENT) + b"\n"
    pipe.write(_LENGTH.pack(len(line) + len(payload)) + line, payload)


def receive(pipe: Pipe) -> tuple[dict[str, Any], memoryview]:
    """The next message. Raises as `Pipe.read`, and `Gibberish`."""
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
