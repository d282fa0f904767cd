"""A decoder that sends the bytes of its recording to the parent, unchanged."""

from __future__ import annotations

import json
import struct
import time
from multiprocessing.connection import Connection
from typing import Any

from batchscribe.children.framing import receive
from batchscribe.children.pipe import Pipe


def message(header: dict[str, Any] | bytes, payload: bytes = b"") -> bytes:
    """Frame a message like `framing.send`. A header of bytes is sent unchanged."""
    line = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("!i", len(line) + 1 + len(payload)) + line + b"\n" + payload


def serve(connection: Connection, _memory_bytes: int) -> None:
    """Replaces `batchscribe.audio.decoder_process._serve`."""
    pipe = Pipe(connection)
    pipe.write(message({"op": "ready"}))
    while True:
        _, recording = receive(pipe)
        pipe.write(recording)
        time.sleep(0.05)
