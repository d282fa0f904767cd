"""A tiny recording, made in memory: a decoder that cannot decode it can decode nothing."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from batchscribe.window import SAMPLE_RATE

DURATION_SEC = 0.5


def _wav() -> bytes:
    """A triangle wave of 250 Hz, 16-bit mono."""
    count = int(DURATION_SEC * SAMPLE_RATE)
    data = struct.pack(f"<{count}h", *(abs(number % 64 - 32) * 400 - 6400 for number in range(count)))
    form = struct.pack("<HHIIHH", 1, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


@dataclass(frozen=True, slots=True)
class TrialRecording:
    """A `ByteSource`."""

    content: bytes = field(default_factory=_wav, repr=False)

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int) -> bytes:
        return self.content[offset : offset + length]
