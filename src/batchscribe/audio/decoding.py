"""The parent's side of decoding one recording in a decoder process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol

from batchscribe.audio.decoder_process import DecoderProcess
from batchscribe.audio.decoder_replies import InvalidDecoderReply, Replies, SoundBlock
from batchscribe.audio.media import Media
from batchscribe.cost import current_meter
from batchscribe.errors import DecoderDied
from batchscribe.metrics import Stage, stage
from batchscribe.window import Window


class ByteSource(Protocol):
    """The bytes to decode, with random access."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Position:
    """A position from which another decoding of the same recording yields the windows after the first `n_windows`."""

    n_windows: int
    state: str  #: of the decoder


class Decoding:
    """One recording that is being decoded. `replies` validates the messages from the process."""

    def __init__(
        self,
        process: DecoderProcess,
        source: ByteSource,
        replies: Replies,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
        check: Callable[[], None] = lambda: None,
        continue_at: Position | None = None,
        hear: Callable[[SoundBlock], None] | None = None,
    ) -> None:
        """Exchange messages with the process only inside a `turn`. `check` raises if the recording is no longer
        wanted. The decoder omits the windows before `continue_at`. `hear`, if given, takes all the sound, outside of a
        turn.
        """
        self._process = process
        self._source = source
        self._replies = replies
        self._turn = turn
        self._check = check
        self._hear = hear
        self._answer: bytes | None = None  #: to the last request of the process
        self._media: Media | None = None
        self.position = continue_at  #: the latest one; all windows before it have been yielded
        self._n_windows = continue_at.n_windows if continue_at else 0
        self.is_over = False  #: the process is ready for its next recording

    @property
    def media(self) -> Media:
        """The facts of the recording, known when `windows` is exhausted."""
        if self._media is None:
            raise RuntimeError("the recording has not been decoded yet")
        return self._media

    def windows(self) -> Iterator[Window]:
        """Yield the windows in the order of their end times. The decoder waits until the caller takes them.

        Raises `MediaError` and the errors of reading the source, and those of `check`, which is called at least once a
        second, also in silence.
        """
        while not self.is_over:
            self._check()
            with stage(Stage.DECODE), self._turn():
                header, payload = self._next()
            try:
                window = self._take(header, payload)
            except InvalidDecoderReply as error:
                raise DecoderDied("The decoder sent an invalid answer; the file is probably malicious.") from error
            if window is not None:
                self._n_windows += 1
                yield window

    def _next(self) -> tuple[dict[str, Any], memoryview]:
        if self._answer is not None:
            self._process.tell({"op": "bytes"}, self._answer)
            self._answer = None
        return self._process.listen()

    def _take(self, header: dict[str, Any], payload: memoryview) -> Window | None:
        match self._replies.op(header):
            case "window":
                return self._replies.window(header, payload)
            case "sound":
                if self._hear is None:
                    raise InvalidDecoderReply("sound that was not requested")
                self._hear(self._replies.sound(header, payload))
            case "position":
                state = self._replies.position(payload).decode("ascii", errors="replace")
                self.position = Position(self._n_windows, state)
            case "read":
                self._answer = self._read(*self._replies.read_block_request(header))
            case "alive":
                self._answer = b""  # the process continues after this answer, in its next turn
            case "done":
                media = self._replies.media(header["media"])
                waveform = self._replies.waveform(header["peaks"], payload, media.duration_sec)
                self._media = replace(media, waveform=waveform)
                self.is_over = True
            case "failed":
                error = self._replies.error(header["remark"])
                self.is_over = True
                raise error
        return None

    def _read(self, offset: int, length: int) -> bytes:
        """Read from the source; the child can only get bytes of its own recording."""
        with stage(Stage.READ):
            content = self._source.read(offset, length)
        current_meter().add(bytes_in=len(content))
        return content
