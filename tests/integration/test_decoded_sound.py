"""All the sound of a recording, which the decoder sends beside its windows when it is asked to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DecoderPool, Position, SoundBlock
from batchscribe.window import SAMPLE_RATE, Samples, Window
from tests.audio_files import Bytes, encoded, samples_of, wav


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(1, DecodeLimits()) as pool:
        yield pool


def sound_of(
    pool: DecoderPool, content: bytes, continue_at: Position | None = None
) -> tuple[Samples, list[Window], Position | None]:
    """Return the sound of the chosen track, the windows, and the last position."""
    blocks: list[SoundBlock] = []
    with pool.decode(
        Bytes(content),
        channels_apart=False,
        segmentation="auto",
        window_sec=30.0,
        continue_at=continue_at,
        hear=blocks.append,
    ) as decoding:
        windows = list(decoding.windows())
    start = max(number for number, block in enumerate(blocks) if block.start_sample == 0)
    sound = np.concatenate([block.samples for block in blocks[start:]])
    assert len(sound) == round(decoding.media.duration_sec * SAMPLE_RATE)
    return sound, windows, decoding.position


def test_the_sound_is_what_the_windows_are_cut_from(pool: DecoderPool, examples: Path) -> None:
    content = (examples / "library-call.mp3").read_bytes()
    sound, windows, _ = sound_of(pool, content)
    assert windows
    for window in windows:
        start = round(window.start_sec * SAMPLE_RATE)
        stretch = sound[start : start + len(window.samples)]
        assert np.allclose(window.samples - window.samples.mean(), stretch - stretch.mean(), atol=2e-3)


def test_the_sound_comes_from_the_start_also_after_a_position(pool: DecoderPool, examples: Path) -> None:
    speech = samples_of(examples / "weather.wav")
    content = wav((np.resize(speech, 100 * SAMPLE_RATE) * 32_000).astype(np.int16)[:, np.newaxis])
    sound, windows, position = sound_of(pool, content)
    assert position is not None
    again, rest, _ = sound_of(pool, content, position)
    assert np.array_equal(again, sound)
    assert len(rest) == len(windows) - position.n_windows


def test_after_a_silent_track_the_sound_of_the_next_one_starts_at_zero(pool: DecoderPool, examples: Path) -> None:
    speech = (samples_of(examples / "weather.wav") * 32_000).astype(np.int16)[:, np.newaxis]
    content = encoded([np.zeros_like(speech), speech], codec="aac", container="mp4", tracks=2)
    sound, windows, _ = sound_of(pool, content)
    assert windows
    assert np.abs(sound).max() > 0.1


def test_without_the_request_no_sound_is_sent(pool: DecoderPool, examples: Path) -> None:
    source = Bytes.of(examples / "weather.wav")
    with pool.decode(source, channels_apart=False, segmentation="auto", window_sec=30.0) as decoding:
        assert list(decoding.windows()), "sound that was not requested would have been an error"
