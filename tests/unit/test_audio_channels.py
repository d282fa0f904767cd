from __future__ import annotations

import numpy as np
import pytest
from av.audio.frame import AudioFrame

from batchscribe.audio.channels import Channels, Resampling, SameSound
from batchscribe.window import SAMPLE_RATE


def frame(values: list[float], *, layout: str, rate: int = SAMPLE_RATE, n_samples: int = 1600) -> AudioFrame:
    """Each channel holds one value throughout."""
    samples = np.repeat(np.array(values, dtype=np.float32), n_samples).reshape(len(values), n_samples)
    made = AudioFrame.from_ndarray(np.ascontiguousarray(samples.T).reshape(1, -1), format="flt", layout=layout)
    made.sample_rate = rate
    return made


def resampled(*frames: AudioFrame, apart: bool) -> Channels:
    resampling = Resampling(apart=apart)
    blocks = [block for one in frames for block in resampling.accept(one)]
    return np.concatenate([*blocks, *resampling.finish()], axis=1)


def middle(channels: Channels) -> list[float]:
    """Away from the edges, where the filter rings."""
    return [round(float(value), 3) for value in channels[:, channels.shape[1] // 2]]


@pytest.mark.parametrize(
    ("layout", "values"),
    [
        ("mono", [0.5]),
        ("stereo", [0.1, 0.9]),
        ("5.1", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        ("7.1", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]),
        ("9 channels", [0.1] * 8 + [0.9]),
        ("32 channels", [number / 100 for number in range(32)]),
    ],
)
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_channels_kept_apart_do_not_leak_into_each_other(layout: str, values: list[float], rate: int) -> None:
    channels = resampled(frame(values, layout=layout, rate=rate, n_samples=rate), apart=True)
    assert middle(channels) == pytest.approx(values, abs=0.002)
    assert channels.shape[1] == pytest.approx(SAMPLE_RATE, abs=2)


@pytest.mark.parametrize("layout", ["stereo", "2 channels"])
def test_a_mix_of_two_is_their_mean_and_never_louder(layout: str) -> None:
    assert middle(resampled(frame([1.0, 1.0], layout=layout), apart=False)) == [1.0]
    assert middle(resampled(frame([0.2, 0.6], layout=layout), apart=False)) == [0.4]


@pytest.mark.parametrize("n_channels", [3, 8, 9, 32])
def test_microphones_without_a_layout_are_averaged(n_channels: int) -> None:
    values = [0.0] * (n_channels - 1) + [0.9]
    mixed = resampled(frame(values, layout=f"{n_channels} channels"), apart=False)
    assert middle(mixed) == pytest.approx([0.9 / n_channels], abs=0.002)


def test_the_middle_loudspeaker_of_a_film_stays_audible() -> None:
    centre_only = resampled(frame([0, 0, 0.8, 0, 0, 0], layout="5.1"), apart=False)
    assert middle(centre_only)[0] > 0.8 / 6


def test_a_change_of_rate_and_layout_on_the_way_keeps_time_and_channels() -> None:
    first = frame([0.3, 0.5], layout="stereo", rate=44_100, n_samples=44_100)
    second = frame([0.4], layout="mono", rate=22_050, n_samples=22_050)
    for apart, n_channels in ((True, 2), (False, 1)):
        channels = resampled(first, second, first, apart=apart)
        assert channels.shape == (n_channels, pytest.approx(3 * SAMPLE_RATE, abs=4))


def test_infinite_and_nan_values_become_samples() -> None:
    wild = resampled(frame([np.nan], layout="mono"), frame([np.inf], layout="mono"), apart=False)
    assert np.isfinite(wild).all()
    wild = resampled(frame([np.inf, -np.inf, np.nan], layout="3 channels"), apart=False)
    assert np.isfinite(wild).all()
    assert np.abs(resampled(frame([7.0], layout="mono"), apart=False)).max() <= 1.0


def repeated(*channels: Channels) -> int:
    same_sound = SameSound()
    for start in range(0, SAMPLE_RATE, 4000):
        same_sound.add(np.stack(channels)[:, start : start + 4000])
    return same_sound.repeated


def test_channels_with_the_same_sound_are_distinguished_from_two_speakers() -> None:
    one, two, hiss = (np.random.default_rng(seed).normal(0, 0.1, SAMPLE_RATE).astype(np.float32) for seed in range(3))
    assert repeated(one, one) == 1
    assert repeated(one, one * np.float32(0.2), -one) == 2
    assert repeated(one, one + np.float32(0.05) * hiss) == 1
    assert repeated(one, two) == 0
    assert repeated(one, two + np.float32(0.5) * one) == 0
    assert repeated(one, np.zeros_like(one)) == 0
