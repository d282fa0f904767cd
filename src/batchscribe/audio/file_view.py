"""Recordings as seekable files for the demuxer: one behind a pipe to the parent, and a section of one.

A section may start with bytes of our own, such as a corrected header.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
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


BLOCK_BYTES = 2**20  #: 64 KiB blocks took 2.4 times the time over S3
_KEPT_BLOCKS = 6  #: an MP4 alternates between its index, picture and sound


class RemoteFile:
    """Reads aligned blocks through `fetch(offset, length)` and keeps the last few.

    `first_block` spares the first question: most recordings of a few seconds are that block alone.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes], first_block: bytes = b"") -> None:
        self.size = size
        self._fetch = fetch
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        if first_block:
            self._blocks[0] = first_block

    def read(self, length: int = -1) -> bytes:
        """At most `length` bytes, never across the end of a block; empty only at the end of the file."""
        if self._position >= self.size:
            return b""
        number, start = divmod(self._position, BLOCK_BYTES)
        block = self._block(number)
        piece = block[start:] if length < 0 else block[start : start + length]
        self._position += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        offset = number * BLOCK_BYTES
        block = self._fetch(offset, min(BLOCK_BYTES, self.size - offset))
        self._blocks[number] = block
        if len(self._blocks) > _KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return block
