"""The recordings that are mutated: about a second of each container and codec."""

from __future__ import annotations

import struct
from functools import cache

import numpy as np

from batchscribe.window import SAMPLE_RATE
from tests.audio_files import Int16, encoded, noise, tone, wav
from tests.audio_videos import video, vorbis

#: Codec, container, rate in Hz, channels, options.
_MADE: dict[str, tuple[str, str, int, int, dict[str, str]]] = {
    "wav-s16": ("pcm_s16le", "wav", 16_000, 2, {}),
    "wav-s24": ("pcm_s24le", "wav", 8_000, 1, {}),
    "wav-f32": ("pcm_f32le", "wav", 8_000, 1, {}),
    "wav-alaw": ("pcm_alaw", "wav", 8_000, 1, {}),
    "wav-adpcm-ms": ("adpcm_ms", "wav", 8_000, 1, {}),
    "wav-adpcm-ima": ("adpcm_ima_wav", "wav", 8_000, 1, {}),
    "wav-g722": ("g722", "wav", 16_000, 1, {}),
    "wav-g726": ("g726", "wav", 8_000, 1, {}),
    "wav-mp2": ("mp2", "wav", 24_000, 1, {}),
    "wav-mp3": ("mp3", "wav", 24_000, 1, {}),
    "rf64": ("pcm_s16le", "wav", 8_000, 1, {"rf64": "always"}),
    "w64": ("pcm_s16le", "w64", 8_000, 1, {}),
    "mp3": ("mp3", "mp3", 16_000, 1, {}),
    "mp3-stereo": ("mp3", "mp3", 44_100, 2, {"write_xing": "0"}),
    "mp2": ("mp2", "mp2", 24_000, 1, {}),
    "m4a-aac": ("aac", "ipod", 16_000, 1, {}),
    "m4a-alac": ("alac", "ipod", 16_000, 2, {}),
    "mp4-fragments": ("aac", "mp4", 16_000, 1, {"movflags": "frag_keyframe+empty_moov"}),
    "mp4-opus": ("libopus", "mp4", 48_000, 1, {}),
    "mov-pcm": ("pcm_s16be", "mov", 8_000, 2, {}),
    "flac": ("flac", "flac", 16_000, 1, {}),
    "ogg-opus": ("libopus", "ogg", 48_000, 1, {}),
    "ogg-flac": ("flac", "ogg", 16_000, 1, {}),
    "webm-opus": ("libopus", "webm", 48_000, 2, {}),
    "webm-live": ("libopus", "webm", 48_000, 1, {"live": "1"}),
    "mka-aac": ("aac", "matroska", 16_000, 1, {}),
    "mka-flac": ("flac", "matroska", 16_000, 2, {}),
    "aac": ("aac", "adts", 16_000, 1, {}),
    "aac-stereo": ("aac", "adts", 44_100, 2, {}),
}


@cache
def bases() -> dict[str, bytes]:
    """Return the recordings by name, always with the same bytes."""
    made = {
        name: encoded(
            np.repeat(np.concatenate([tone(0.6, 300, rate=rate), noise(0.4, rate=rate)]), channels, axis=1),
            codec=codec,
            container=container,
            rate=rate,
            options={"fflags": "+bitexact", **options},
        )
        for name, (codec, container, rate, channels, options) in _MADE.items()
    }
    chunked = wav(noise(0.8))
    made["wav-chunks"] = (
        chunked[:36] + b"LIST\x1a\0\0\0INFOISFT\x0e\0\0\0a writer 1.23\0" + chunked[36:] + b"id3 \4\0\0\0abcd"
    )
    more = noise(0.4, seed=1).tobytes()
    made["wav-two-data"] = chunked + b"data" + struct.pack("<I", len(more)) + more
    made["wav-wide"] = wide_wav(tone(0.8, 300))
    made["mp3-vbr"] = encoded(tone(1.0, 300), codec="mp3", container="mp3", quality=4)
    exact = {"fflags": "+bitexact"}
    made["webm-video"] = video(tone(1.0, 300, rate=48_000), options=exact)
    made["mkv-video"] = video(
        tone(1.0, 300, rate=48_000), codec="mjpeg", container="matroska", sound_codec="aac", options=exact
    )
    made["webm-vorbis"] = vorbis(tone(1.0, 300), container="webm", rate=SAMPLE_RATE, options=exact)
    made["ogg-vorbis"] = vorbis(tone(1.0, 300), container="ogg", rate=SAMPLE_RATE, options=exact)
    made["ogg-two-links"] = made["ogg-opus"] + made["ogg-flac"]
    made["mp4-two-tracks"] = encoded(tone(0.8, 300), codec="aac", container="mp4", tracks=2)
    return made


def wide_wav(sound: Int16) -> bytes:
    """Return a WAV with 24 bits in four bytes per sample."""
    form = struct.pack("<HHIIHH", 1, 1, SAMPLE_RATE, 4 * SAMPLE_RATE, 4, 24)
    data = (sound.astype("<i4") << 16).tobytes()
    head = struct.pack("<4sI4s4sI16s4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, form, b"data", len(data))
    return head + data
