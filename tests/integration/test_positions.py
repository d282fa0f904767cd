"""Decodings that continue at a position of an earlier decoding of the same recording."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DecoderPool, Media, Position
from batchscribe.audio.positions import INTERVAL_SEC
from batchscribe.window import SAMPLE_RATE, Window
from tests.audio_files import Bytes, encoded, samples_of

MINUTES = 5


@pytest.fixture(scope="module")
def speech(examples: Path) -> bytes:
    """A stereo WAV of several minutes: different speech on its sides, quiet speech, noise and long digital silence."""
    first, second = samples_of(examples / "weather.wav"), samples_of(examples / "library-call.mp3")
    random = np.random.default_rng(1)
    noise = random.normal(0.0, 0.01, 5 * SAMPLE_RATE).astype(np.float32)
    silence = np.zeros(45 * SAMPLE_RATE, dtype=np.float32)
    length = MINUTES * 60 * SAMPLE_RATE
    left = np.resize(np.concatenate([first, noise, 0.02 * second, silence]), length)
    right = np.resize(np.concatenate([silence, second, first, noise]), length)
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.stack([left, right], axis=1) * 32_000).astype("<i2").tobytes())
    return content.getvalue()


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(1, DecodeLimits()) as pool:
        yield pool


def decode(
    pool: DecoderPool, content: bytes, continue_at: Position | None = None, *, apart: bool = True
) -> tuple[list[Window], list[Position | None], Media]:
    """Return the windows, the position that was known with each of them, and the facts of the recording."""
    with pool.decode(
        Bytes(content), channels_apart=apart, segmentation="auto", window_sec=30.0, continue_at=continue_at
    ) as decoding:
        found = [(window, decoding.position) for window in decoding.windows()]
        return (
            [window for window, _ in found],
            [*(position for _, position in found), decoding.position],
            decoding.media,
        )


def facts(windows: list[Window]) -> list[object]:
    return [(each.channel, each.start_sec, each.samples.tobytes(), each.speech) for each in windows]


@pytest.mark.parametrize("apart", [True, False])
def test_windows_after_a_position_are_the_same_as_without_it(pool: DecoderPool, speech: bytes, apart: bool) -> None:
    windows, known, media = decode(pool, speech, apart=apart)
    positions = [position for position in dict.fromkeys(known) if position]
    assert len(positions) >= MINUTES * 60 / INTERVAL_SEC - 1
    for position in positions:
        rest, later, same_media = decode(pool, speech, position, apart=apart)
        assert facts(rest) == facts(windows[position.n_windows :])
        assert same_media == media
        assert later[-1] == positions[-1], "positions after a position are the same too"


@pytest.mark.parametrize(
    ("codec", "container", "options"),
    [("libopus", "ogg", {}), ("libopus", "webm", {"live": "1"}), ("aac", "adts", {}), ("flac", "flac", {})],
    ids=["Opus", "WebM of a browser", "AAC", "FLAC"],
)
def test_a_recording_without_an_index_continues_at_the_same_sample(
    pool: DecoderPool, speech: bytes, codec: str, container: str, options: dict[str, str]
) -> None:
    """It is decoded from its start again, so nothing depends on seeking."""
    with wave.open(io.BytesIO(speech)) as file:
        sides = np.frombuffer(file.readframes(3 * 60 * SAMPLE_RATE), "<i2").reshape(-1, 2)
    content = encoded(sides, codec=codec, container=container, options=options)
    windows, known, media = decode(pool, content, apart=False)
    position = next(position for position in known if position)
    assert 0 < position.n_windows < len(windows)
    rest, _, same_media = decode(pool, content, position, apart=False)
    assert facts(rest) == facts(windows[position.n_windows :])
    assert same_media == media


def test_a_recording_without_speech_after_the_position_keeps_its_track(pool: DecoderPool, speech: bytes) -> None:
    """The decoder must not take the rest for a silent track and try the next one."""
    silent = speech + bytes(4 * 120 * SAMPLE_RATE)
    size = len(silent) - 44
    content = silent[:4] + (size + 36).to_bytes(4, "little") + silent[8:40] + size.to_bytes(4, "little") + silent[44:]
    windows, known, media = decode(pool, content)
    last = known[-1]
    assert last is not None
    assert last.n_windows == len(windows)
    assert decode(pool, content, last) == ([], [last], media)
