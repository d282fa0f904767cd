"""A stretch of a recording's file, behind bytes of our own, presented as a file of its own."""

from __future__ import annotations

import os
from typing import Protocol


class SeekableFile(Protocol):
    """What demuxers and header parsers read."""

    @property
    def size(self) -> int: ...

    def read(self, length: int = -1) -> bytes: ...

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int: ...

    def tell(self) -> int: ...


class FileView:
    """`head`, then the bytes of `file` from `start` up to `end`. It moves the position of `file`."""

    def __init__(self, file: SeekableFile, start: int, end: int, head: bytes = b"") -> None:
        self._file = file
        self._head = head
        self._start = start
        self._position = 0
        self.size = len(head) + max(0, end - start)

    def read(self, length: int = -1) -> bytes:
        """At most `length` bytes, like `RemoteFile.read`; empty only at the end of the view."""
        wanted = self.size - self._position if length < 0 else min(length, self.size - self._position)
        if wanted <= 0:
            return b""
        if self._position < len(self._head):
            piece = self._head[self._position : self._position + wanted]
        else:
            self._file.seek(self._start + self._position - len(self._head))
            piece = self._file.read(wanted)
        self._position += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position


def read_at(file: SeekableFile, offset: int, length: int) -> bytes:
    """`length` bytes from `offset` on, fewer only at the end of the file."""
    file.seek(offset)
    parts: list[bytes] = []
    missing = length
    while missing > 0 and (piece := file.read(missing)):
        parts.append(piece)
        missing -= len(piece)
    return b"".join(parts)
