"""The waveform of a recording in audiowaveform's JSON format, version 2, which players with waveforms read.

https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md
"""

from __future__ import annotations

import json
from itertools import chain

from batchscribe.transcript.document import Transcript
from batchscribe.window import SAMPLE_RATE, Waveform

FULL_SCALE, FULL_SCALE_OF_8_BITS = 255, 127


def render_peaks(transcript: Transcript) -> bytes:
    """Render the waveform of a transcribed recording."""
    if transcript.waveform is None:
        raise ValueError("a transcript that was read back has no waveform")
    return dump_peaks(transcript.waveform)


def dump_peaks(waveform: Waveform) -> bytes:
    """Return the document. Each peak becomes a minimum and a maximum, for one channel after the other."""
    levels = [_scaled(channel) for channel in waveform.channels]
    pairs = chain.from_iterable((-level, level) for peak in zip(*levels, strict=True) for level in peak)
    document = {
        "version": 2,
        "channels": len(levels),
        "sample_rate": SAMPLE_RATE,
        "samples_per_pixel": round(waveform.peak_sec * SAMPLE_RATE),
        "bits": 8,
        "length": len(levels[0]),
        "data": list(pairs),
    }
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _scaled(channel: bytes) -> list[int]:
    return [round(peak * FULL_SCALE_OF_8_BITS / FULL_SCALE) for peak in channel]
