"""One recording on its way through a decoder process, seen from the parent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from batchscribe.audio.media import Media
from batchscribe.audio.process import DecoderProcess
from batchscribe.audio.remote_file import BLOCK_BYTES
from batchscribe.errors import DecoderDied, MediaError
from batchscribe.metrics import Stage, stage
from batchscribe.window import Window

#: Code to class; a child says what is wrong with a recording by its code.
MEDIA_ERRORS = {kind.code: kind for kind in MediaError.__subclasses__()}
MAX_MESSAGE_CHARS = 500


class ByteSource(Protocol):
    """What is decoded: bytes that can be read anywhere."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...


class Decoding:
    """One recording while it is decoded."""

    def __init__(self, process: DecoderProcess, source: ByteSource) -> None:
        self._process = process
        self._source = source
        self._media: Media | None = None
        self.is_over = False  #: the process waits for its next recording

    @property
    def media(self) -> Media:
        """Known when `windows` has come to its end."""
        if self._media is None:
            raise RuntimeError("the recording is not decoded yet")
        return self._media

    def windows(self) -> Iterator[Window]:
        """In the order in which they end; the decoder waits while they are not taken.

        Raises `MediaError`, and whatever reading the source raises.
        """
        while not self.is_over:
            with stage(Stage.DECODE):
                header, payload = self._process.listen()
            try:
                window = self._take(header, payload)
            except (KeyError, TypeError, ValueError) as error:
                # What hostile media made of the child may say anything.
                raise DecoderDied(
                    "The decoder sent something that is no answer; the file is likely hostile."
                ) from error
            if window is not None:
                yield window

    def _take(self, header: dict[str, Any], payload: memoryview) -> Window | None:
        match header["op"]:
            case "window":
                return _window(header, payload)
            case "read":
                self._answer(header)
            case "done":
                self._media = _media(header["media"])
                self.is_over = True
            case "failed":
                self.is_over = True
                raise MEDIA_ERRORS[header["code"]](str(header["message"])[:MAX_MESSAGE_CHARS])
        return None

    def _answer(self, header: dict[str, Any]) -> None:
        """Whatever the child asks for, it gets bytes of its own recording only."""
        offset, length = int(header["offset"]), int(header["length"])
        if not (0 <= offset < self._source.size and 0 < length <= BLOCK_BYTES):
            raise DecoderDied("The decoder asked for bytes that are not there; the file is likely hostile.")
        with stage(Stage.READ):
            read = self._source.read(offset, length)
        self._process.tell({"op": "bytes"}, read)


def _window(header: dict[str, Any], payload: memoryview) -> Window:
    samples = np.frombuffer(payload, dtype=np.float32)
    speech = header["speech"]
    spans = None if speech is None else tuple((float(start), float(end)) for start, end in speech)
    window = Window(int(header["channel"]), float(header["start_sec"]), samples, spans)
    if not all(0.0 <= start <= end <= window.duration_sec for start, end in spans or ()):
        raise ValueError("speech outside of its window")
    return window


def _media(facts: dict[str, Any]) -> Media:
    return Media(
        duration_sec=float(facts["duration_sec"]),
        channels=int(facts["channels"]),
        container=str(facts["container"]),
        codec=str(facts["codec"]),
        sample_rate=int(facts["sample_rate"]),
        warnings=tuple(str(warning)[:MAX_MESSAGE_CHARS] for warning in facts["warnings"]),
    )
