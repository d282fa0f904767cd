"""Make the recordings in `examples/audio` from the texts in `texts.json`.

They are committed, so this needs to run only to change them:

    sudo apt-get install flite
    make setup && .venv/bin/python examples/make_audio.py

Every turn of a text is spoken by a voice of Debian's `flite` on one channel of its recording.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
AUDIO = HERE / "audio"

SAMPLE_RATE = 16_000  # Hz, as flite's voices speak
PAUSE_SEC = 0.8  # between turns; longer than the 0.5 s of silence that ends a segment
PICTURES_PER_SEC = 2
BLOCK = 1024  # samples handed to an encoder at once

#: The codec and bit rate (bit/s) of each kind of file.
CODECS: dict[str, tuple[Literal["pcm_s16le", "libmp3lame", "aac"], int]] = {
    ".wav": ("pcm_s16le", 256_000),
    ".mp3": ("libmp3lame", 64_000),
    ".m4a": ("aac", 32_000),
    ".mp4": ("aac", 48_000),
}

#: One channel of a call must not leak into the other; MP3 would store what they share.
OPTIONS = {"joint_stereo": "0"}

#: An M4A keeps its index at the end, so half of one cannot be read at all.
BROKEN, WHOLE = "interrupted-upload.m4a", "council.m4a"

Sound = NDArray[np.int16]  # int16[n_samples, n_channels], 16 kHz


@dataclass(frozen=True)
class Turn:
    """What one voice says on one channel before the next turn begins."""

    channel: int
    voice: str
    text: str


def make_all() -> None:
    AUDIO.mkdir(exist_ok=True)
    texts = json.loads((HERE / "texts.json").read_text())
    for name, turns in texts.items():
        write(AUDIO / name, speak_in_turn([Turn(**turn) for turn in turns]))
    whole = (AUDIO / WHOLE).read_bytes()
    (AUDIO / BROKEN).write_bytes(whole[: len(whole) // 2])


def speak_in_turn(turns: list[Turn]) -> Sound:
    channels = 1 + max(turn.channel for turn in turns)
    pause = np.zeros((round(PAUSE_SEC * SAMPLE_RATE), channels), np.int16)
    pieces = [pause]
    for turn in turns:
        voice = speak(turn)
        piece = np.zeros((len(voice), channels), np.int16)
        piece[:, turn.channel] = voice
        pieces += [piece, pause]
    return np.concatenate(pieces)


def speak(turn: Turn) -> NDArray[np.int16]:
    with tempfile.NamedTemporaryFile(suffix=".wav") as spoken:
        command = ["flite", "-voice", turn.voice, "-t", turn.text, "-o", spoken.name]
        subprocess.run(command, check=True)  # noqa: S603 - the texts are ours
        with av.open(spoken.name) as container:
            return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def write(path: Path, sound: Sound) -> None:
    codec, bit_rate = CODECS[path.suffix]
    layout = "mono" if sound.shape[1] == 1 else "stereo"
    with av.open(str(path), "w") as container:
        audio = container.add_stream(codec, rate=SAMPLE_RATE, layout=layout, bit_rate=bit_rate, options=OPTIONS)
        if path.suffix == ".mp4":
            write_pictures(container, duration_sec=len(sound) / SAMPLE_RATE)
        for frame in frames_of(sound, layout):
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))


def frames_of(sound: Sound, layout: str) -> Iterator[av.AudioFrame]:
    """Blocks of the sound in the one sample format that every encoder here converts from."""
    for start in range(0, len(sound), BLOCK):
        block = sound[start : start + BLOCK]
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield frame


def write_pictures(container: av.container.OutputContainer, duration_sec: float) -> None:
    """A picture track: a light that moves from left to right."""
    track = container.add_stream("mpeg4", rate=PICTURES_PER_SEC, width=160, height=96, pix_fmt="yuv420p")
    count = round(duration_sec * PICTURES_PER_SEC)
    for index in range(count):
        picture = np.full((96, 160, 3), 40, np.uint8)
        left = index * 144 // count
        picture[40:56, left : left + 16] = 220
        container.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    container.mux(track.encode(None))


if __name__ == "__main__":
    make_all()
