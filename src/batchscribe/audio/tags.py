"""Tags that programs put before, between and after the sound: ID3, APE, Lyrics3 and plain zeros."""

from __future__ import annotations

import struct

from batchscribe.audio.file_view import SeekableFile, read_at

ID3V1_BYTES, ENHANCED_ID3V1_BYTES = 128, 227
_HEAD_BYTES = 32
_APE_BYTES, _APE_IS_HEADER = 32, 1 << 29
_ID3V2_BYTES, _ID3V2_HAS_FOOTER = 10, 0x10
_LONGEST_LYRICS_BYTES = 2**17
_LYRICS_ENDS = (b"LYRICS200", b"LYRICSEND")
_STEP_BYTES = 4096


def tag_bytes(file: SeekableFile, offset: int) -> int:
    """Return the length of the tag at `offset`, or 0 if there is none; never more than the rest of the file."""
    head = read_at(file, offset, _HEAD_BYTES)
    length = _id3v2_bytes(head) or _ape_bytes(head) or _id3v1_bytes(head) or _lyrics_bytes(file, offset, head)
    rest = file.size - offset
    if length > rest and head.startswith((b"ID3", b"APE")):
        return min(rest, _ID3V2_BYTES if head.startswith(b"ID3") else _APE_BYTES)  # a wrong size: skip only the header
    return min(length, rest)


def zero_bytes(file: SeekableFile, offset: int, most: int) -> int:
    """Count the zeros from `offset` on, up to `most`."""
    count = 0
    while count < most:
        piece = read_at(file, offset + count, min(_STEP_BYTES, most - count))
        n_zeros = len(piece) - len(piece.lstrip(b"\0"))
        count += n_zeros
        if not piece or n_zeros < len(piece):
            break
    return count


def _id3v2_bytes(head: bytes) -> int:
    """Return the tag's length. Its size field has four times seven bits, without header and footer (id3.org)."""
    if not head.startswith(b"ID3") or len(head) < _ID3V2_BYTES or any(part & 0x80 for part in head[6:10]):
        return 0
    size = 0
    for part in head[6:10]:
        size = size << 7 | part
    return size + _ID3V2_BYTES * (2 if head[5] & _ID3V2_HAS_FOOTER else 1)


def _ape_bytes(head: bytes) -> int:
    """Return the tag's length. Its size field covers items and footer; a footer may stand alone without a header."""
    if not head.startswith(b"APETAGEX") or len(head) < _APE_BYTES:
        return 0
    size, _, flags = struct.unpack_from("<III", head, 12)
    return int(size) + _APE_BYTES if flags & _APE_IS_HEADER else _APE_BYTES


def _id3v1_bytes(head: bytes) -> int:
    if not head.startswith(b"TAG"):
        return 0
    return ENHANCED_ID3V1_BYTES if head.startswith(b"TAG+") else ID3V1_BYTES


def _lyrics_bytes(file: SeekableFile, offset: int, head: bytes) -> int:
    if not head.startswith(b"LYRICSBEGIN"):
        return 0
    text = read_at(file, offset, _LONGEST_LYRICS_BYTES)
    ends = [at + len(end) for end in _LYRICS_ENDS if (at := text.find(end)) >= 0]
    return min(ends, default=0)
