"""Recordings for the measurements: those of the repository, and some generated from them."""

from __future__ import annotations

import math
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from batchscribe.window import SAMPLE_RATE

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"
BROKEN = "interrupted-upload.m4a"
MP3_FRAME_SAMPLES = 576  #: of MPEG 2, layer 3
MP3_BITS_PER_SEC = 64_000


def examples() -> list[Path]:
    """The sound recordings of `examples/audio`."""
    return sorted(path for path in (ROOT / "examples" / "audio").iterdir() if path.name != BROKEN)


def speech() -> NDArray[np.int16]:
    """int16[n_samples], 16 kHz: the long example, about five minutes of reading with its pauses."""
    return samples_of(ROOT / "examples" / "audio" / "village.m4a")


def samples_of(path: Path) -> NDArray[np.int16]:
    """int16[n_samples], 16 kHz, its channels mixed."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
        frames = [frame for decoded in container.decode(audio=0) for frame in resampler.resample(decoded)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.int16)


def write_short_recordings(folder: Path, count: int, *, duration_sec: float = 5.0) -> list[Path]:
    """Write `count` WAV files, each with another stretch of speech."""
    samples, length = speech(), int(duration_sec * SAMPLE_RATE)
    folder.mkdir(parents=True)
    paths = [folder / f"{number:05}.wav" for number in range(count)]
    for number, path in enumerate(paths):
        start = (number * 7919) % (len(samples) - length)
        write_wav(path, iter([samples[start : start + length]]))
    return paths


def write_long_recording(path: Path, *, duration_sec: float) -> Path:
    """Write a WAV that repeats the long example. RIFF ends at 4 GiB: 37 hours at this rate."""
    write_wav(path, _repeated(speech(), int(duration_sec * SAMPLE_RATE)))
    return path


def write_long_mp3(path: Path, *, duration_sec: float) -> Path:
    """Write an MP3 that repeats the long example, up to a frame more than `duration_sec`.

    It is encoded once. Its frames can be repeated, because none of them uses bits of the one before.
    """
    frames = _mp3_frames(speech())
    count = math.ceil(duration_sec * SAMPLE_RATE / MP3_FRAME_SAMPLES)
    with path.open("wb") as file:
        for first in range(0, count, len(frames)):
            file.write(b"".join(frames[: count - first]))
    return path


def _mp3_frames(samples: NDArray[np.int16]) -> list[bytes]:
    """Encode 16 kHz mono to independent frames of `MP3_FRAME_SAMPLES`."""
    codec = av.CodecContext.create("libmp3lame", "w")
    codec.format, codec.layout, codec.sample_rate, codec.bit_rate = "s16p", "mono", SAMPLE_RATE, MP3_BITS_PER_SEC
    codec.options = {"reservoir": "0"}
    packets = []
    for start in range(0, len(samples) - MP3_FRAME_SAMPLES, MP3_FRAME_SAMPLES):
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis, start : start + MP3_FRAME_SAMPLES], "s16p", "mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, start
        packets += codec.encode(frame)
    return [bytes(packet) for packet in [*packets, *codec.encode(None)]]


def _repeated(samples: NDArray[np.int16], length: int) -> Iterator[NDArray[np.int16]]:
    while length > 0:
        part = samples[:length]
        yield part
        length -= len(part)


def write_wav(path: Path, parts: Iterator[NDArray[np.int16]]) -> None:
    """16 kHz, one channel."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for part in parts:
            file.writeframes(part.tobytes())
