"""The parent's side of one decoder process."""

from __future__ import annotations

from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from batchscribe.children.framing import Gibberish, receive, send
from batchscribe.children.pipe import Pipe
from batchscribe.children.readiness import ChildNotReady, wait_until_ready
from batchscribe.children.start import reason_of, start_piped
from batchscribe.children.watchdog import ChildHangs, Watchdog
from batchscribe.errors import DecoderDied, DecodeTimeout, MachineTrouble

CHILD = "batchscribe.audio.decoder_child"
DECODER = "decoder"  #: name of this part in `MachineTrouble`
#: A new process must be ready within this many seconds of CPU time, and of time without CPU use. It takes 0.03 s; the
#: first process takes 0.7 s.
READY_LIMIT_SEC = 60.0
CURE = "Free memory, processes, descriptors or disk on this machine; `batchscribe doctor` checks them."


class DecoderProcess:
    """One decoder process, for one thread at a time; only `kill` may come from another. Unusable after an error."""

    def __init__(self, memory_bytes: int, stall_sec: float) -> None:
        """Start the process. Raises `MachineTrouble` if the system cannot start it."""
        self.files = 0  #: number of recordings it was given
        self._stall_sec = stall_sec
        self._is_ready = False
        try:
            # The fork server imports the child's module once, in 0.7 s; each child then takes 30 ms.
            self._process, connection = start_piped(_serve, memory_bytes, name="decoder", preload=CHILD)
        except OSError as error:
            raise _cannot_start(reason_of(error)) from error
        self._watchdog = Watchdog(self._process.pid)
        self._pipe = Pipe(connection, self._watchdog)

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive

    @property
    def cpu_sec(self) -> float:
        return self._process.cpu_sec

    def get_ready(self) -> None:
        """Wait until a new process can take a recording. If it ends before, no recording is the cause.

        Raises `MachineTrouble`.
        """
        if self._is_ready:
            return
        self._watchdog.expect(idle_sec=READY_LIMIT_SEC, cpu_sec=READY_LIMIT_SEC)
        try:
            wait_until_ready(self._pipe)
        except ChildNotReady as error:
            raise _cannot_start(str(error)) from error
        self._is_ready = True

    def tell(self, header: Mapping[str, Any], payload: bytes = b"") -> None:
        """Send a message. Raises `DecodeTimeout` if the child does not read it, and `DecoderDied`."""
        self._expect_progress()
        try:
            send(self._pipe, header, payload)
        except ChildHangs as hang:
            raise self._explain_stall(hang) from hang
        except OSError as error:
            raise self._explain_death() from error

    def listen(self) -> tuple[dict[str, Any], memoryview]:
        """Receive the next message. Raises `DecodeTimeout` if none arrives, and `DecoderDied`."""
        self._expect_progress()
        try:
            return receive(self._pipe)
        except ChildHangs as hang:
            raise self._explain_stall(hang) from hang
        except (EOFError, OSError, Gibberish) as error:
            raise self._explain_death() from error

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kill the process and release its resources."""
        self._process.end()
        self._pipe.close()

    def _expect_progress(self) -> None:
        self._watchdog.expect(idle_sec=self._stall_sec, cpu_sec=self._stall_sec)

    @staticmethod
    def _explain_stall(hang: ChildHangs) -> DecodeTimeout:
        return DecodeTimeout(
            f"The decoder {hang} (BATCHSCRIBE_DECODE_STALL_SEC) and was killed; the file is probably damaged."
        )

    def _explain_death(self) -> DecoderDied:
        return DecoderDied("The decoder process died while it decoded this file; the file is probably damaged.")


def _cannot_start(reason: str) -> MachineTrouble:
    return MachineTrouble(f"The decoder cannot start on this machine: {reason}. {CURE}", part=DECODER)


def _serve(connection: Connection, memory_bytes: int) -> None:
    from batchscribe.audio.decoder_child import serve  # imported only in the child: the parent needs no FFmpeg

    serve(connection, memory_bytes)
