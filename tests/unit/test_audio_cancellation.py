"""Channels that cancel each other out are kept, and ordinary recordings are mixed bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from batchscribe.audio.channels import Channels
from batchscribe.audio.file_view import RemoteFile
from batchscribe.audio.media import Media
from batchscribe.audio.track import AudioTrack
from batchscribe.input_formats import ALL_NAMES
from batchscribe.window import SAMPLE_RATE
from tests.audio_files import Bytes, Int16, encoded, noise, samples_of, tone, wav


def mixed(content: bytes) -> tuple[Channels, Media]:
    source = Bytes(content)
    track = AudioTrack(RemoteFile(source.size, source.read), input_formats=ALL_NAMES, apart=False, max_sec=60.0)
    blocks = list(track.blocks(lambda: None))
    media = track.media
    track.close()
    return np.concatenate(blocks, axis=1), media


def level(samples: Channels | Int16) -> float:
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))


SOUND = noise(4.0)


@pytest.mark.parametrize("gain", [-1.0, -0.89, -1.12])
@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s32le", "pcm_f32le", "pcm_u8", "aac"])
def test_opposite_channels_do_not_cancel_out(gain: float, codec: str) -> None:
    sound = np.concatenate([SOUND, (SOUND * gain).astype(np.int16)], axis=1)
    content = encoded(sound, codec=codec, container="ipod" if codec == "aac" else "wav")
    channels, media = mixed(content)
    assert level(channels) * 32768 >= 0.9 * level(SOUND)
    (warning,) = media.warnings
    assert "cancel each other out" in warning


@pytest.mark.parametrize("right", [SOUND, SOUND // 2, noise(4.0, seed=1), np.zeros_like(SOUND)])
def test_other_channels_are_mixed_as_ever(right: Int16) -> None:
    channels, media = mixed(wav(np.concatenate([SOUND, right], axis=1)))
    expected = (SOUND.astype(np.float32) + right.astype(np.float32))[:, 0] / 65536
    assert np.allclose(channels[0], expected, atol=1e-6)
    assert media.warnings == ()


def test_only_the_part_that_cancels_out_is_changed() -> None:
    opposite = np.concatenate([SOUND, -SOUND], axis=1)
    equal = np.concatenate([SOUND, SOUND], axis=1)
    channels, media = mixed(wav(np.concatenate([equal, opposite, equal])))
    assert level(channels) * 32768 == pytest.approx(level(SOUND), rel=0.1)
    assert float(media.warnings[0].split()[1]) == pytest.approx(4.0, abs=1.0)


@pytest.mark.parametrize("delay", [1, 2, 3, 4])
def test_opposite_channels_need_not_be_simultaneous(delay: int, examples: Path) -> None:
    """Speech loses most of its energy in the sum of opposite channels up to 0.25 ms apart."""
    speech = (samples_of(examples / "weather.wav")[: 5 * SAMPLE_RATE, np.newaxis] * 32767).astype(np.int16)
    channels, media = mixed(wav(np.concatenate([speech, -np.roll(speech, delay, axis=0)], axis=1)))
    assert level(channels) * 32768 >= 0.8 * level(speech)
    (warning,) = media.warnings
    assert "cancel each other out" in warning


def test_two_simultaneous_speakers_are_both_kept(examples: Path) -> None:
    speech = (samples_of(examples / "weather.wav")[:, np.newaxis] * 32767).astype(np.int16)
    for shift in (20_000, 50_000, 90_000):
        other = np.roll(speech, shift, axis=0)
        channels, media = mixed(wav(np.concatenate([speech, other], axis=1)))
        expected = (speech.astype(np.float32) + other.astype(np.float32))[:, 0] / 65536
        assert np.allclose(channels[0], expected, atol=1e-4)
        assert media.warnings == ()


def test_hum_that_the_channels_share_hides_no_speech_that_cancels_out() -> None:
    hum = tone(4.0, 50) // 4
    channels, media = mixed(wav(np.concatenate([SOUND + hum, hum - SOUND], axis=1)))
    assert level(channels) * 32768 >= 0.9 * level(SOUND)
    assert "cancel each other out" in media.warnings[0]


@pytest.mark.parametrize("pairs", [2, 4])
def test_pairs_of_opposite_channels_are_kept(pairs: int) -> None:
    channels, media = mixed(wav(np.concatenate([SOUND, -SOUND] * pairs, axis=1)))
    assert level(channels) * 32768 >= 0.9 * level(SOUND)
    assert "cancel each other out" in media.warnings[0]


def test_the_sign_of_the_sound_does_not_change_on_the_way() -> None:
    """Of two almost equally loud channels, the chosen one stays chosen."""
    hiss = noise(4.0, seed=1) // 32
    channels, _ = mixed(wav(np.concatenate([SOUND, hiss - SOUND], axis=1)))
    products = channels[0, : len(SOUND)] * SOUND[: channels.shape[1], 0]
    signs = np.sign(products.reshape(-1, 1000).sum(axis=1))
    assert abs(signs.sum()) == len(signs)
