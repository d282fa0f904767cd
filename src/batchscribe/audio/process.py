"""The parent's end of one decoder process."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from batchscribe.audio.framing import Gibberish, receive, send
from batchscribe.child_process import start_child
from batchscribe.errors import DecoderDied, DecodeTimeout

CHILD = "batchscribe.audio.child"


class DecoderProcess:
    """Used by one thread at a time; only `kill` may come from another. After an error it is of no use any more."""

    def __init__(self, memory_bytes: int, stall_sec: float) -> None:
        """Raises `DecoderDied` when the system cannot start another process."""
        context = get_context("forkserver")
        # Imported once, in the server that forks the children: 0.7 s then, 30 ms for each child.
        context.set_forkserver_preload([CHILD])
        self.files = 0  #: recordings it has been given
        self._stall_sec = stall_sec
        self._connection, childs_end = context.Pipe()
        _limit_waiting(self._connection, stall_sec)
        self._process = context.Process(target=_serve, args=(childs_end, memory_bytes), name="decoder", daemon=True)
        with childs_end:
            self._start()

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def tell(self, header: Mapping[str, Any], payload: bytes = b"") -> None:
        """Raises `DecodeTimeout` when the child does not listen, `DecoderDied`."""
        try:
            send(self._connection, header, payload)
        except BlockingIOError as error:
            raise self._stalled() from error
        except OSError as error:
            raise self._died() from error

    def listen(self) -> tuple[dict[str, Any], memoryview]:
        """The next message. Raises `DecodeTimeout` when none comes, `DecoderDied`."""
        try:
            return receive(self._connection)
        except BlockingIOError as error:
            raise self._stalled() from error
        except (EOFError, OSError, Gibberish) as error:
            raise self._died() from error

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kill the process, and forget it."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._connection.close()

    def _start(self) -> None:
        try:
            start_child(self._process)
        except OSError as error:
            self._connection.close()
            raise DecoderDied(f"No process can be started for the decoder ({error.strerror}).") from error

    def _stalled(self) -> DecodeTimeout:
        return DecodeTimeout(
            f"The decoder made no progress for {self._stall_sec:g} s (BATCHSCRIBE_DECODE_STALL_SEC) and was ended; "
            "the file is likely damaged."
        )

    def _died(self) -> DecoderDied:
        return DecoderDied("The decoder's process died while it decoded this file, which is likely damaged.")


def _serve(connection: Connection, memory_bytes: int) -> None:
    from batchscribe.audio.child import serve  # only in the child: the parent needs no FFmpeg

    serve(connection, memory_bytes)


def _limit_waiting(connection: Connection, sec: float) -> None:
    """A read or write that waits for longer raises BlockingIOError: also one in the middle of a message."""
    whole_sec = int(sec)
    limit = struct.pack("@ll", whole_sec, int((sec - whole_sec) * 1_000_000))  # struct timeval
    with socket.socket(fileno=os.dup(connection.fileno())) as pipe:
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
