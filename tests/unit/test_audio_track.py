"""Opening a recording and reading its audio track, without a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from batchscribe.audio.channels import Channels
from batchscribe.audio.file_view import RemoteFile
from batchscribe.audio.media import Media
from batchscribe.audio.track import AudioTrack
from batchscribe.audio.track_choice import CODECS
from batchscribe.errors import DecodeLimitExceeded, MediaError, UnsupportedMedia
from batchscribe.input_formats import ALL_NAMES
from tests.audio_files import Bytes, encoded, noise, wav


def opened(content: bytes, *, apart: bool = False, max_sec: float = 60.0) -> AudioTrack:
    source = Bytes(content)
    return AudioTrack(RemoteFile(source.size, source.read), input_formats=ALL_NAMES, apart=apart, max_sec=max_sec)


def decoded(track: AudioTrack) -> tuple[Channels, Media]:
    blocks = list(track.blocks(lambda: None))
    media = track.media
    track.close()
    return np.concatenate(blocks, axis=1), media


def test_16_khz_samples_come_out_as_they_went_in() -> None:
    samples = noise(3.0, channels=2)
    channels, media = decoded(opened(wav(samples), apart=True))
    assert np.array_equal(np.round(channels.T * 32768).astype(np.int16), samples)
    assert media == Media(3.0, 2, "wav", "pcm_s16le", 16_000, ())


def test_blocks_are_about_a_second_long() -> None:
    assert max(block.shape[1] for block in opened(wav(noise(10.0))).blocks(lambda: None)) <= 16_384


def test_every_packet_counts_as_progress() -> None:
    signs: list[None] = []
    list(opened(encoded(noise(2.0), codec="aac", container="ipod")).blocks(lambda: signs.append(None)))
    assert len(signs) > 30


def test_a_playlist_never_opens_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret.wav").write_bytes(wav(noise(1.0)))
    monkeypatch.chdir(tmp_path)
    playlist = b"ffconcat version 1.0\nfile secret.wav\n"
    with pytest.raises(UnsupportedMedia, match="playlist"):
        opened(playlist)
    frames = encoded(noise(0.5), codec="mp3", container="mp3").translate(bytes(range(256)), b"\0\r\n")
    disguised = playlist + b"# " + frames * 3  # enough of MP3 to get past the first look
    for content in (disguised, b"\1" + disguised, bytes(100) + disguised, frames + playlist):
        with pytest.raises(MediaError):
            decoded(opened(content))


def test_no_video_decoder_may_run() -> None:
    assert CODECS.isdisjoint({"h264", "hevc", "mjpeg", "png", "vp9", "mpeg4"})


def test_a_recording_may_be_as_long_as_the_limit_and_not_a_moment_longer() -> None:
    content = wav(noise(3.0))
    assert decoded(opened(content, max_sec=3.0))[1].duration_sec == 3.0
    with pytest.raises(DecodeLimitExceeded, match=r"the limit is 2\.9 s"):
        decoded(opened(content, max_sec=2.9))


def test_the_voice_model_stores_no_telemetry(tmp_path: Path) -> None:
    """onnxruntime keeps a database of telemetry in the home directory of the user."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    script = (
        "import batchscribe.audio.speech_spans as voice; voice.VoiceStream().probabilities(voice.np.zeros(512, 'f4'))"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env=environment | {"HOME": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []
