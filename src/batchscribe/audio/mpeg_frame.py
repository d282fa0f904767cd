"""The header of an MPEG audio frame, layers I to III (ISO 11172-3, 13818-3, and Fraunhofer's MPEG-2.5)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

HEADER_BYTES = 4
#: kbit/s by the index in the header; 0 for "free" and for the forbidden index.
_BITRATES = {
    ("1", 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0),
    ("1", 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0),
    ("1", 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    ("2", 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0),
    ("2", 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
    ("2", 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
_VERSIONS = {3: "1", 2: "2", 0: "2.5"}
_RATES = (44_100, 48_000, 32_000)  #: Hz of MPEG-1; MPEG-2 has half, MPEG-2.5 a quarter
_RATE_SHIFTS = {"1": 0, "2": 1, "2.5": 2}


class Stream(NamedTuple):
    """The properties that all frames of a recording share."""

    version: str
    layer: int
    sample_rate: int  #: Hz

    @property
    def frame_samples(self) -> int:
        if self.layer == 1:
            return 384
        return 576 if self.layer == 3 and self.version != "1" else 1152


class Frame(NamedTuple):
    stream: Stream
    n_bytes: int  #: including the header


@lru_cache(maxsize=4096)
def frame(header: bytes) -> Frame | None:
    """Parse a four-byte frame header; return None if it is invalid or gives no length ("free format")."""
    if len(header) < HEADER_BYTES or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = _VERSIONS.get(header[1] >> 3 & 3), 4 - (header[1] >> 1 & 3)
    rate_index, padding = header[2] >> 2 & 3, header[2] >> 1 & 1
    if version is None or layer == 4 or rate_index == 3:
        return None
    bitrate = _BITRATES[version[0], layer][header[2] >> 4]
    if not bitrate:
        return None
    stream = Stream(version, layer, _RATES[rate_index] >> _RATE_SHIFTS[version])
    return Frame(stream, _frame_bytes(stream, bitrate * 1000, padding))


def _frame_bytes(stream: Stream, bits_per_sec: int, padding: int) -> int:
    if stream.layer == 1:
        return (12 * bits_per_sec // stream.sample_rate + padding) * 4
    slots = stream.frame_samples // 8
    return slots * bits_per_sec // stream.sample_rate + padding


def frame_sizes(run: bytes) -> list[int]:
    """Return the sizes of consecutive frames in bytes, from the first on; the last may be cut off."""
    sizes, at = [], 0
    while (found := frame(run[at : at + HEADER_BYTES])) is not None:
        sizes.append(found.n_bytes)
        at += found.n_bytes
    return sizes


def is_mid_stream(content: bytes) -> bool:
    """Return whether the frame needs bits of earlier frames. The first frame of a recording never does."""
    found = frame(content[:HEADER_BYTES])
    if found is None or found.stream.layer != 3:
        return False
    has_checksum = not content[1] & 1
    side = content[HEADER_BYTES + 2 * has_checksum :][:2].ljust(2, b"\0")
    back = side[0] << 1 | side[1] >> 7 if found.stream.version == "1" else side[0]
    return back > 0


def silent_frame(header: bytes, n_bytes: int) -> bytes:
    """Return a silent frame with the properties of `header`. It has no audio bits and no checksum."""
    return bytes((header[0], header[1] | 1, *header[2:HEADER_BYTES])).ljust(n_bytes, b"\0")
