"""What the header of a WAV file says about itself; FFmpeg corrects or refuses it without a word on why."""

from __future__ import annotations

import struct
from typing import NamedTuple

#: Sizes from here on are what streaming writers leave behind (0xFFFFFFFF, 0x7FFFF000...): they announce nothing.
_STREAMED_BYTES = 0x7FFF_0000


class WavHeader(NamedTuple):
    channels: int
    sample_rate: int  #: Hz
    announced_sec: float | None  #: None where the writer did not know


def wav_header(head: bytes) -> WavHeader | None:
    """The header of a RIFF file that begins with `head`; None where it is not to be found there."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    form = _chunk(head, b"fmt ")
    if form is None or len(head) < form[0] + 16:
        return None
    channels, sample_rate, bytes_per_sec = struct.unpack_from("<HII", head, form[0] + 2)
    data = _chunk(head, b"data")
    n_bytes = data[1] if data else 0
    known = bytes_per_sec > 0 and 0 < n_bytes < _STREAMED_BYTES
    return WavHeader(channels, sample_rate, n_bytes / bytes_per_sec if known else None)


def _chunk(head: bytes, name: bytes) -> tuple[int, int] | None:
    """Offset and announced size of the content of a chunk."""
    offset = 12
    while offset + 8 <= len(head):
        found, n_bytes = struct.unpack_from("<4sI", head, offset)
        if found == name:
            return offset + 8, n_bytes
        offset += 8 + n_bytes + n_bytes % 2
    return None
