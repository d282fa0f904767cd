"""Recordings that PyAV cannot make from samples alone: videos with sound, and Vorbis."""

from __future__ import annotations

import io
from collections.abc import Mapping
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.audio_files import Int16

PICTURES_PER_SEC = 5
SIZE = 32  #: pixels


def video(
    samples: Int16 | None,
    *,
    codec: str = "libvpx",
    container: str = "webm",
    sound_codec: str = "libopus",
    rate: int = 48_000,
    options: Mapping[str, str] | None = None,
    late_sec: float = 0.0,
    duration_sec: float | None = None,
) -> bytes:
    """A video with int16[n_samples, 1] as its sound, or without sound. The sound begins `late_sec` after the picture.

    The picture lasts as long as the sound, or `duration_sec`.
    """
    file = io.BytesIO()
    sound_sec = 0.0 if samples is None else len(samples) / rate
    with av.open(file, mode="w", format=container, options=dict(options or {})) as output:
        pictures = cast(VideoStream, output.add_stream(codec, rate=PICTURES_PER_SEC))
        pictures.width = pictures.height = SIZE
        pictures.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        sound = None if samples is None else cast(AudioStream, output.add_stream(sound_codec, rate=rate, layout="mono"))
        for second in range(round(max(sound_sec, duration_sec or sound_sec))):
            if second < (duration_sec or sound_sec):
                for number in range(second * PICTURES_PER_SEC, (second + 1) * PICTURES_PER_SEC):
                    output.mux(pictures.encode(_picture(number)))
            if sound is not None and samples is not None and second < sound_sec:
                _mux(output, sound.encode(_frame(samples, second, rate)), late_sec)
        output.mux(pictures.encode(None))
        if sound is not None:
            _mux(output, sound.encode(None), late_sec)
    return file.getvalue()


def with_companions(samples: Int16, *, rate: int) -> bytes:
    """A Matroska file with the sound, a stream of subtitles, a picture of its cover and a font."""
    file = io.BytesIO()
    with av.open(file, mode="w", format="matroska") as output:
        output.add_stream("ass")
        output.add_attachment("cover.jpg", "image/jpeg", b"\xff\xd8" + bytes(1000))
        output.add_attachment("letters.ttf", "application/x-truetype-font", bytes(1000))
        sound = output.add_stream("aac", rate=rate, layout="mono")
        for second in range(len(samples) // rate):
            _mux(output, sound.encode(_frame(samples, second, rate)), 0.0)
        _mux(output, sound.encode(None), 0.0)
    return file.getvalue()


def vorbis(samples: Int16, *, container: str, rate: int, options: Mapping[str, str] | None = None) -> bytes:
    """int16[n_samples, 1] as both channels of Vorbis: FFmpeg's encoder is experimental and makes only stereo."""
    file = io.BytesIO()
    with av.open(file, mode="w", format=container, options=dict(options or {})) as output:
        sound = output.add_stream("vorbis", rate=rate, layout="stereo", options={"strict": "experimental"})
        for start in range(0, len(samples), rate):
            block = np.repeat(samples[start : start + rate].T / 32_768, 2, axis=0).astype(np.float32)
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = rate, start
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return file.getvalue()


def _picture(number: int) -> VideoFrame:
    picture = VideoFrame.from_ndarray(np.full((SIZE, SIZE, 3), number % 255, np.uint8), format="rgb24")
    picture.pts, picture.time_base = number, Fraction(1, PICTURES_PER_SEC)
    return picture


def _frame(samples: Int16, second: int, rate: int) -> AudioFrame:
    block = np.ascontiguousarray(samples[second * rate : (second + 1) * rate]).reshape(1, -1)
    frame = AudioFrame.from_ndarray(block, format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate, second * rate
    return frame


def _mux(output: OutputContainer, packets: list[Packet[AudioStream]], late_sec: float) -> None:
    for packet in packets:
        late = round(late_sec / float(packet.time_base))
        packet.pts = packet.dts = (packet.pts or 0) + late
        output.mux(packet)
