"""The voices that conversations are made of, in two halves without a common voice.

Thresholds are chosen on one half, and reported on the other. Recordings in one row have the same speaker. The corpus
does not name the speakers of FLEURS: a row joins recordings whose voices are alike beyond doubt. Recordings that may or
may not belong to a row are in neither half.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import av
import numpy as np

from batchscribe.window import SAMPLE_RATE, Samples
from benchmarks.recordings import CORPUS
from benchmarks.speakers.islands import cut_at_pauses

Half = Literal["tuning", "untouched"]

VOICES: dict[Half, dict[str, tuple[str, ...]]] = {
    "tuning": {
        "LJ": tuple(f"ljspeech/LJ001-{number:04}.wav" for number in (1, 3, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16)),
        "Michael": ("mfa/acoustic_corpus.wav",),
        "Speechbrain": tuple(f"speechbrain/spk1_snt{number}.wav" for number in range(1, 6)),
        "Arctic": tuple(f"cmu-arctic/cmu_arctic_us_aew_a000{number}.wav" for number in (1, 2, 3)),
        "Harvard woman": ("open-speech-repository/OSR_us_000_0010_8k.wav",),
        "1272": ("librispeech/1272-128104-0000.flac", "librispeech/1272-128104-0001.flac"),
        "61": ("librispeech/61-70968-0000.flac",),
        "en 0": ("fleurs/fleurs-en-000.ogg",),
        "en 1": ("fleurs/fleurs-en-001.ogg",),
        "en 2": ("fleurs/fleurs-en-002.ogg", "fleurs/fleurs-en-003.ogg", "fleurs/fleurs-en-004.ogg"),
        "de 0": ("fleurs/fleurs-de-000.ogg", "fleurs/fleurs-de-002.ogg"),
        "de 1": ("fleurs/fleurs-de-001.ogg", "fleurs/fleurs-de-004.ogg"),
        "de 3": ("fleurs/fleurs-de-003.ogg",),
        "Python": ("realpython/harvard.wav",),
        "Digits": ("vosk/test.wav",),
    },
    "untouched": {
        "Sonnets": ("librivox-sonnets/p001.mp3", "librivox-sonnets/p002.mp3"),
        "LibriVox es": ("librivox-es/es.mp3",),
        "Harvard man": ("open-speech-repository/OSR_us_000_0030_8k.wav",),
        "Kennedy": ("openai-whisper/jfk.flac",),
        "es 0": ("fleurs/fleurs-es-000.ogg", "fleurs/fleurs-es-002.ogg"),
        "es 3": ("fleurs/fleurs-es-003.ogg", "fleurs/fleurs-es-004.ogg"),
        "fr 1": ("fleurs/fleurs-fr-001.ogg",),
        "fr 2": ("fleurs/fleurs-fr-002.ogg",),
        "fr 3": ("fleurs/fleurs-fr-003.ogg", "fleurs/fleurs-fr-004.ogg"),
        "pt 0": ("fleurs/fleurs-pt-000.ogg",),
        "pt 1": ("fleurs/fleurs-pt-001.ogg", "fleurs/fleurs-pt-002.ogg"),
        "pt 3": ("fleurs/fleurs-pt-003.ogg", "fleurs/fleurs-pt-004.ogg"),
        "Swedish": tuple(f"nst-swedish/se10x016-08071999-1334_u001600{number}.wav" for number in (2, 3)),
        "Picovoice es": ("picovoice-leopard/test_es.wav",),
        "Picovoice ja": ("picovoice-leopard/test_ja.wav",),
    },
}

#: Lengths of the turns that a recording is cut into, in seconds, repeated: long ones, and answers of a second.
TURN_SEC = (7.0, 3.0, 1.0, 5.0, 2.0, 9.0, 0.7, 4.0)


@cache
def turns_of(half: Half, voice: str) -> tuple[Samples, ...]:
    """Return what a voice says, cut at its pauses into turns of up to `TURN_SEC`."""
    recordings = (read_sound(path) for path in VOICES[half][voice])
    return tuple(turn for sound in recordings for turn in cut_at_pauses(sound, TURN_SEC))


@cache
def read_sound(path: str) -> Samples:
    """Return a recording of the corpus, all channels mixed."""
    return np.asarray(np.mean(read_channels(path), axis=0), dtype=np.float32)


def read_channels(path: str) -> Samples:
    """Return float32[n_channels, n_samples], 16 kHz."""
    with av.open(str(CORPUS / path)) as media:
        stream = media.streams.audio[0]
        resampler = av.AudioResampler("fltp", stream.layout.name, SAMPLE_RATE)
        frames = [part for frame in media.decode(stream) for part in resampler.resample(frame)]
        pieces = [frame.to_ndarray() for frame in [*frames, *resampler.resample(None)]]
    return np.concatenate(pieces, axis=1).astype(np.float32)
