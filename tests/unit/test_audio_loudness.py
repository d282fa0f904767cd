"""The level of loud and of quiet channels for the voice detector."""

from __future__ import annotations

from math import ceil, log

import numpy as np
import pytest

from batchscribe.audio.loudness import DECAY, MAX_GAIN, QUANTILE, TARGET_LEVEL, Loudness, remove_offset
from batchscribe.window import Samples

BLOCK_SAMPLES = 81_920


def sound(level: float, seed: int = 0) -> Samples:
    """Return a block of noise; `level` is that of its loudest samples, without clicks."""
    noise = np.random.default_rng(seed).uniform(-1.0, 1.0, BLOCK_SAMPLES)
    return (noise * level / QUANTILE).astype(np.float32)


def level_of(block: Samples) -> float:
    return float(np.quantile(np.abs(block), QUANTILE))


@pytest.mark.parametrize("level", [1.05 * TARGET_LEVEL, 2.0 * TARGET_LEVEL])
def test_a_loud_channel_is_passed_on_bit_for_bit(level: float) -> None:
    block = sound(level)
    assert Loudness().amplify(block) is block


@pytest.mark.parametrize("level", [0.75 * TARGET_LEVEL, 0.1 * TARGET_LEVEL, 1.1 * TARGET_LEVEL / MAX_GAIN])
def test_a_quiet_channel_is_amplified_to_the_level_of_a_loud_one(level: float) -> None:
    heard = Loudness().amplify(sound(level))
    assert level_of(heard) == pytest.approx(TARGET_LEVEL, rel=0.02)
    assert heard.dtype == np.float32


def test_what_is_as_quiet_as_noise_stays_quiet() -> None:
    level = 0.01 * TARGET_LEVEL / MAX_GAIN
    assert level_of(Loudness().amplify(sound(level))) == pytest.approx(MAX_GAIN * level, rel=0.02)
    silence = np.zeros(BLOCK_SAMPLES, np.float32)
    assert not Loudness().amplify(silence).any()


def test_a_pause_between_loud_sentences_stays_as_quiet_as_it_is() -> None:
    loudness, loud, pause = Loudness(), sound(2.0 * TARGET_LEVEL), sound(0.01 * TARGET_LEVEL)
    for _ in range(2):
        loudness.amplify(loud)
        assert loudness.amplify(pause) is pause


def test_a_voice_that_stays_quiet_after_a_loud_one_is_gradually_amplified() -> None:
    loud, quiet = 2.0 * TARGET_LEVEL, 0.1 * TARGET_LEVEL
    loudness, blocks = Loudness(), ceil(log(quiet / loud, DECAY))
    loudness.amplify(sound(loud))
    levels = [level_of(loudness.amplify(sound(quiet))) for _ in range(blocks + 1)]
    assert levels == sorted(levels)
    assert levels[0] == pytest.approx(quiet, rel=0.02)
    assert levels[-1] == pytest.approx(TARGET_LEVEL, rel=0.02)
    assert levels[-3] / levels[-4] == pytest.approx(1 / DECAY, rel=0.001)


def test_a_voice_that_gets_louder_is_not_amplified_for_one_moment_longer() -> None:
    loudness, loud = Loudness(), sound(2.0 * TARGET_LEVEL)
    loudness.amplify(sound(0.1 * TARGET_LEVEL))
    assert loudness.amplify(loud) is loud


def test_a_click_does_not_make_a_quiet_channel_count_as_loud_and_stays_within_range() -> None:
    block = sound(0.05 * TARGET_LEVEL)
    block[100:150] = 0.99
    heard = Loudness().amplify(block)
    assert level_of(heard) == pytest.approx(TARGET_LEVEL, rel=0.02)
    assert np.abs(heard).max() == 1.0


def test_a_block_without_samples_stays_empty() -> None:
    assert len(Loudness().amplify(np.zeros(0, np.float32))) == 0


@pytest.mark.parametrize("offset", [0.5, -0.3])
def test_sound_on_a_louder_offset_is_treated_like_sound_without_one(offset: float) -> None:
    block = sound(0.1 * TARGET_LEVEL)
    heard = Loudness().amplify(block + np.float32(offset))
    assert np.allclose(heard, Loudness().amplify(block), atol=0.02)
    assert np.allclose(remove_offset(block + np.float32(offset)), block, atol=0.001)


def test_an_offset_alone_is_silence() -> None:
    assert not Loudness().amplify(np.full(BLOCK_SAMPLES, 0.5, np.float32)).any()


@pytest.mark.parametrize("offset", [0.04, 0.09])
def test_an_offset_that_is_small_or_quieter_than_the_sound_stays(offset: float) -> None:
    block = sound(0.1) + np.float32(offset)
    assert remove_offset(block) is block
