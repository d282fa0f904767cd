"""Recordings for the audio tests, generated in memory."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.packet import Packet
from numpy.typing import NDArray

from batchscribe.window import SAMPLE_RATE, Samples

Int16 = NDArray[np.int16]
_LAMBDA = 118  #: FFmpeg's unit of quality


class Bytes:
    """A source of bytes in memory that counts its reads."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = len(content)
        self.reads: list[tuple[int, int]] = []

    @classmethod
    def of(cls, path: Path) -> Bytes:
        return cls(path.read_bytes())

    def read(self, offset: int, length: int) -> bytes:
        self.reads.append((offset, length))
        return self.content[offset : offset + length]


class EndlessWav:
    """A WAV of any length that repeats one second of noise and is never in memory as a whole."""

    def __init__(self, duration_sec: int) -> None:
        second = np.random.default_rng(1).normal(0, 500, SAMPLE_RATE).astype("<i2").tobytes()
        self._second = second
        self._header = wav_header(n_bytes=len(second) * duration_sec)
        self.size = len(self._header) + len(second) * duration_sec

    def read(self, offset: int, length: int) -> bytes:
        head = self._header[offset : offset + length]
        start = (offset + len(head) - len(self._header)) % len(self._second)
        wanted = min(length, self.size - offset) - len(head)
        repeats = (start + wanted) // len(self._second) + 1
        return head + (self._second * repeats)[start : start + wanted]


def noise(duration_sec: float, *, rate: int = SAMPLE_RATE, channels: int = 1, seed: int = 0) -> Int16:
    """int16[n_samples, channels]"""
    shape = (round(duration_sec * rate), channels)
    return np.random.default_rng(seed).normal(0, 1000, shape).astype(np.int16)


def tone(duration_sec: float, hz: float, *, rate: int = SAMPLE_RATE) -> Int16:
    """int16[n_samples, 1]"""
    times_sec = np.arange(round(duration_sec * rate)) / rate
    return (8000 * np.sin(2 * np.pi * hz * times_sec)).astype(np.int16)[:, np.newaxis]


def wav(samples: Int16, *, rate: int = SAMPLE_RATE) -> bytes:
    """A plain WAV of int16[n_samples, channels]."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(samples.shape[1])
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.tobytes())
    return file.getvalue()


def wav_header(*, n_bytes: int, channels: int = 1, rate: int = SAMPLE_RATE) -> bytes:
    """The 44-byte header for 16-bit samples, with any values."""
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    riff_bytes = min(36 + n_bytes, 0xFFFFFFFF)
    return struct.pack("<4sI4s4sI16s4sI", b"RIFF", riff_bytes, b"WAVE", b"fmt ", 16, form, b"data", n_bytes)


def encoded(
    samples: Int16 | list[Int16],
    *,
    codec: str,
    container: str,
    rate: int = SAMPLE_RATE,
    options: Mapping[str, str] | None = None,
    tracks: int = 1,
    moved: Callable[[float], float] | None = None,
    quality: int | None = None,
) -> bytes:
    """int16[n_samples, channels] in another container, once for each track; a list has one for each.

    `moved` gives packets another time, in seconds, than the one that their samples have by counting. With a `quality`
    the bit rate is variable.
    """
    file = io.BytesIO()
    sounds = samples if isinstance(samples, list) else [samples] * tracks
    samples = sounds[0]
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[samples.shape[1]]
    with av.open(file, mode="w", format=container, options=dict(options or {})) as output:
        streams = [cast(AudioStream, output.add_stream(codec, rate=rate, layout=layout)) for _ in sounds]
        for stream, samples in zip(streams, sounds, strict=True):
            if quality is not None:
                stream.codec_context.flags |= Flags.qscale
                stream.codec_context.global_quality = quality * _LAMBDA
            for start in range(0, len(samples), rate):
                block = np.ascontiguousarray(samples[start : start + rate]).reshape(1, -1)
                frame = AudioFrame.from_ndarray(block, format="s16", layout=layout)
                frame.sample_rate, frame.pts = rate, start
                output.mux(_retimed(stream.encode(frame), moved))
            output.mux(_retimed(stream.encode(None), moved))
    return file.getvalue()


def _retimed(packets: list[Packet[AudioStream]], moved: Callable[[float], float] | None) -> list[Packet[AudioStream]]:
    if moved is None:
        return packets
    for packet in packets:
        clock_sec = float(packet.time_base)
        packet.pts = packet.dts = round(moved((packet.pts or 0) * clock_sec) / clock_sec)
    return packets


def samples_of(path: Path) -> Samples:
    """float32[n_samples], 16 kHz: decoded in one go by PyAV alone."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(path)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    frames += resampler.resample(None)
    joined = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    return joined.astype(np.float32) / 32768.0
