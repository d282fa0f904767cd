"""The outermost boxes of an MP4, to say what is wrong with one that FFmpeg cannot open."""

from __future__ import annotations

import struct

from batchscribe.audio.file_view import SeekableFile

_MAX_BOXES = 10_000  #: a hostile file could hold millions


def has_index(file: SeekableFile) -> bool:
    """Whether there is a whole `moov` box, without which nothing tells where the samples lie."""
    offset = 0
    for _ in range(_MAX_BOXES):
        file.seek(offset)
        size, name = _box(file.read(16))
        if name == b"moov":
            return offset + size <= file.size
        if size < 8 or offset + size >= file.size:
            return False
        offset += size
    return False


def _box(header: bytes) -> tuple[int, bytes]:
    if len(header) < 8:
        return 0, b""
    size, name = struct.unpack_from(">I4s", header)
    if size == 1 and len(header) == 16:
        (size,) = struct.unpack_from(">Q", header, 8)
    return size, name
