"""A recording of our own, which a decoder hears before it gives up its rights.

Libraries load parts of themselves when these are first used: NumPy its masked arrays, PyAV its kinds of streams,
onnxruntime the voice model. A confined decoder cannot open a file any more, so all of it is used once before.
"""

from __future__ import annotations

import io
import wave

import numpy as np

#: What is asked of a decoder, as `DecoderPool` asks it: once with the channels apart, once with them mixed.
REQUEST = {
    "extra_formats": (),
    "channels_apart": True,
    "max_decoded_sec": 60.0,
    "segmentation": "auto",
    "window_sec": 30.0,
    "max_pause_sec": 3.0,
}
REQUESTS = (REQUEST, REQUEST | {"channels_apart": False})
_RATE = 8_000  #: Hz; another one than engines hear, so that it is resampled


def recording() -> bytes:
    """A second of a buzz in stereo, whose channels cancel each other out when they are mixed."""
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
    """Hears what the decoder says at the rehearsal."""

    def tell(self, op: str, payload: bytes | memoryview = b"", **fields: object) -> None:
        pass

    def is_alive(self) -> None:
        pass
