"""The parent's end of one decoder process."""

from __future__ import annotations

from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from batchscribe.audio.framing import Gibberish, receive, send
from batchscribe.children.pipe import Pipe
from batchscribe.children.start import start_child
from batchscribe.children.watchdog import ChildHangs, Watchdog
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
        try:
            connection, childs_end = context.Pipe()
        except OSError as error:
            raise self._cannot_start(error) from error
        self._process = context.Process(target=_serve, args=(childs_end, memory_bytes), name="decoder", daemon=True)
        with childs_end:
            self._start(connection)
        self._watchdog = Watchdog(self._process.pid or 0)
        self._pipe = Pipe(connection, self._watchdog)

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def tell(self, header: Mapping[str, Any], payload: bytes = b"") -> None:
        """Raises `DecodeTimeout` when the child does not listen, `DecoderDied`."""
        self._expect_progress()
        try:
            send(self._pipe, header, payload)
        except ChildHangs as hang:
            raise self._stalled(hang) from hang
        except OSError as error:
            raise self._died() from error

    def listen(self) -> tuple[dict[str, Any], memoryview]:
        """The next message. Raises `DecodeTimeout` when none comes, `DecoderDied`."""
        self._expect_progress()
        try:
            return receive(self._pipe)
        except ChildHangs as hang:
            raise self._stalled(hang) from hang
        except (EOFError, OSError, Gibberish) as error:
            raise self._died() from error

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kill the process, and forget it."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()

    def _start(self, connection: Connection) -> None:
        try:
            start_child(self._process)
        except OSError as error:
            connection.close()
            raise self._cannot_start(error) from error

    @staticmethod
    def _cannot_start(error: OSError) -> DecoderDied:
        return DecoderDied(f"No process can be started for the decoder ({error.strerror}).")

    def _expect_progress(self) -> None:
        self._watchdog.expect(idle_sec=self._stall_sec, cpu_sec=self._stall_sec)

    @staticmethod
    def _stalled(hang: ChildHangs) -> DecodeTimeout:
        return DecodeTimeout(
            f"The decoder {hang} (BATCHSCRIBE_DECODE_STALL_SEC) and was ended; the file is likely damaged."
        )

    def _died(self) -> DecoderDied:
        return DecoderDied("The decoder's process died while it decoded this file, which is likely damaged.")


def _serve(connection: Connection, memory_bytes: int) -> None:
    from batchscribe.audio.child import serve  # only in the child: the parent needs no FFmpeg

    serve(connection, memory_bytes)
