"""Recordings made in memory: one tests a decoder, one warms it up before it is confined.

Libraries load parts of themselves on first use: NumPy its masked arrays, PyAV its stream classes, onnxruntime the voice
model. A confined decoder cannot open files, so it runs all of this once before.
"""

from __future__ import annotations

import io
import struct
import wave
from dataclasses import dataclass, field

from batchscribe.window import SAMPLE_RATE

DURATION_SEC = 0.5
TRIAL_FORMATS = ("wav",)  #: whatever the settings accept


def _wav() -> bytes:
    """Create a triangle wave of 250 Hz, 16-bit mono."""
    count = int(DURATION_SEC * SAMPLE_RATE)
    data = struct.pack(f"<{count}h", *(abs(number % 64 - 32) * 400 - 6400 for number in range(count)))
    form = struct.pack("<HHIIHH", 1, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


@dataclass(frozen=True, slots=True)
class TrialRecording:
    """The recording of a trial, as a `ByteSource`."""

    content: bytes = field(default_factory=_wav, repr=False)

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int) -> bytes:
        return self.content[offset : offset + length]


#: Requests as `DecoderPool` sends them: one with channels kept apart, one with channels mixed.
REQUEST = {
    "input_formats": TRIAL_FORMATS,
    "channels_apart": True,
    "max_decoded_sec": 60.0,
    "segmentation": "auto",
    "window_sec": 30.0,
    "max_pause_sec": 3.0,
    "whole_sound": False,
}
REQUESTS = (REQUEST, REQUEST | {"channels_apart": False, "whole_sound": True})
_RATE = 8_000  #: Hz; not the rate of engines, so that it is resampled


def recording() -> bytes:
    """Create a second of a stereo buzz whose channels cancel each other out when mixed."""
    import numpy as np

    buzz = (np.arange(_RATE) % 97 * 300 - 14_400).astype("<i2")
    channels = np.stack([buzz, -buzz], axis=1)
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(2)
        written.setsampwidth(2)
        written.setframerate(_RATE)
        written.writeframes(channels.tobytes())
    return file.getvalue()


class Nobody:
    """A receiver that ignores the decoder's messages at the rehearsal."""

    def tell(self, op: str, payload: bytes | memoryview = b"", **fields: object) -> None:
        pass

    def is_alive(self) -> None:
        pass
