"""The `fmt ` chunk of a WAV, which describes its samples. FFmpeg gets a copy with corrected redundant fields."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Self

_FIELDS = "HHIIHH"
_N_BYTES = struct.calcsize("<" + _FIELDS)
_SHORTEST_BYTES = 14  #: the oldest form lacks the bits per sample
PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
#: Offsets of the number of valid bits and of the real format in `WAVEFORMATEXTENSIBLE`, and the GUID after the latter.
_VALID_BITS_AT, _SUBFORMAT_AT = 18, 24
_SUBFORMAT_GUID = b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
_MAX_BITS = 64
_MPEG_KINDS = (0x0050, 0x0055)
_AAC_KINDS = (0x00FF, 0x1600, 0x706D, 0x4143, 0xA106)
#: Encodings of AU, which is big-endian like RIFX, by format and bits.
_AU_ENCODINGS = {(PCM, 16): 3, (PCM, 24): 4, (PCM, 32): 5, (FLOAT, 32): 6, (FLOAT, 64): 7}


@dataclass(frozen=True, slots=True)
class WavForm:
    """A parsed `fmt ` chunk; `content` is the whole chunk, little-endian."""

    content: bytes
    channels: int
    sample_rate: int  #: Hz
    block_align: int  #: bytes of one sample of all channels, or of a block of a compressed format; as announced
    bits: int
    level: float = 1.0  #: divisor for all samples

    @classmethod
    def parse(cls, content: bytes, *, big_endian: bool = False) -> Self | None:
        """Parse a chunk; return None if it is too short."""
        if len(content) < _SHORTEST_BYTES:
            return None
        padded = content.ljust(_N_BYTES, b"\0")
        fields = struct.unpack_from((">" if big_endian else "<") + _FIELDS, padded)
        _, channels, sample_rate, _, block_align, bits = fields
        little_endian = struct.pack("<" + _FIELDS, *fields) + (b"" if big_endian else padded[_N_BYTES:])
        return cls(little_endian, channels, sample_rate, block_align, bits)

    @property
    def kind(self) -> int:
        """Microsoft's format number, also from inside `WAVEFORMATEXTENSIBLE`."""
        (kind,) = struct.unpack_from("<H", self.content)
        if kind == EXTENSIBLE and self.content[_SUBFORMAT_AT + 2 : _SUBFORMAT_AT + 16] == _SUBFORMAT_GUID:
            (kind,) = struct.unpack_from("<H", self.content, _SUBFORMAT_AT)
        return int(kind)

    @property
    def is_float(self) -> bool:
        return self.kind == FLOAT

    @property
    def is_aac(self) -> bool:
        return self.kind in _AAC_KINDS

    @property
    def is_mpeg(self) -> bool:
        """Whether it is MP3 or another layer of MPEG audio."""
        return self.kind in _MPEG_KINDS

    def correct(self, n_bytes: int | None = None) -> WavForm:
        """Return the form with its derived fields recomputed; compressed formats stay as they are.

        Samples have `n_bytes` each; None takes the size from the other fields. FFmpeg cuts packets by the block size,
        so a wrong one turns three-byte samples into noise. If 24 of 32 bits are valid, FFmpeg reads only 24.
        """
        if self.kind not in (PCM, FLOAT, A_LAW, MU_LAW) or not self.channels:
            return self
        n_bytes = n_bytes or self.sample_bytes
        block_align = min(n_bytes * self.channels, 0xFFFF)
        bits = self.bits if (self.bits + 7) // 8 == n_bytes else 8 * n_bytes
        byte_rate = min(self.sample_rate * block_align, 0xFFFF_FFFF)
        content = bytearray(self.content)
        struct.pack_into("<IHH", content, 8, byte_rate, block_align, bits)
        if content[:2] == struct.pack("<H", EXTENSIBLE):
            struct.pack_into("<H", content, _VALID_BITS_AT, bits)
        return replace(self, content=bytes(content), block_align=block_align, bits=bits)

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample of one channel, derived from its bits."""
        if self.kind in (A_LAW, MU_LAW):
            return 1
        if 0 < self.bits <= _MAX_BITS:
            return (self.bits + 7) // 8
        return max(1, min(_MAX_BITS // 8, self.block_align // self.channels))


def au_header(form: WavForm) -> bytes | None:
    """Return an AU header for big-endian samples. FFmpeg would read those in RIFX as little-endian.

    Returns None for one-byte and compressed samples, which have no byte order.
    """
    encoding = _AU_ENCODINGS.get((form.kind, form.bits))
    if encoding is None:
        return None
    return struct.pack(">4s5I", b".snd", 24, 0xFFFF_FFFF, encoding, form.sample_rate, form.channels)


def has_frame_headers(first_bytes: bytes) -> bool:
    """Return whether AAC begins with an ADTS header; without these, the starts of its frames are unknown."""
    return len(first_bytes) >= 2 and first_bytes[0] == 0xFF and first_bytes[1] & 0xF6 == 0xF0
