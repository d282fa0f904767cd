"""Seekable files for the demuxer: a recording that the parent reads, and a section of a file.

A section may start with additional bytes, such as a corrected header.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol


class SeekableFile(Protocol):
    """The file interface of demuxers and header parsers."""

    @property
    def size(self) -> int: ...

    def read(self, length: int = -1) -> bytes: ...

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int: ...

    def tell(self) -> int: ...


class _Positioned:
    """The position in a file of a known size."""

    size: int
    _position: int

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position


class FileView(_Positioned):
    """A view of `head` and the bytes of `file` from `start` to `end`. Reading moves the position of `file`."""

    def __init__(self, file: SeekableFile, start: int, end: int, head: bytes = b"") -> None:
        self._file = file
        self._head = head
        self._start = start
        self._position = 0
        self.size = len(head) + max(0, end - start)

    def read(self, length: int = -1) -> bytes:
        """Read at most `length` bytes, like `RemoteFile.read`; empty only at the end of the view."""
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


def read_at(file: SeekableFile, offset: int, length: int) -> bytes:
    """Read `length` bytes from `offset` on, fewer only at the end of the file."""
    file.seek(offset)
    parts: list[bytes] = []
    missing = length
    while missing > 0 and (piece := file.read(missing)):
        parts.append(piece)
        missing -= len(piece)
    return b"".join(parts)


BLOCK_BYTES = 2**20  #: with 64 KiB blocks, reading from S3 took 2.4 times as long
_KEPT_BLOCKS = 6  #: reads of an MP4 alternate between its index, video and audio


class RemoteFile(_Positioned):
    """A file that is read in aligned blocks through `fetch(offset, length)`; the last few blocks are kept.

    `first_block` saves the first request: most recordings of a few seconds fit into that block.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes], first_block: bytes = b"") -> None:
        self.size = size
        self._fetch = fetch
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        if first_block:
            self._blocks[0] = first_block

    def read(self, length: int = -1) -> bytes:
        """Read at most `length` bytes, never across the end of a block; empty only at the end of the file."""
        if self._position >= self.size:
            return b""
        number, start = divmod(self._position, BLOCK_BYTES)
        block = self._block(number)
        piece = block[start:] if length < 0 else block[start : start + length]
        self._position += len(piece)
        return piece

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
