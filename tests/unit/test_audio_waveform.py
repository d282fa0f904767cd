"""The waveform of a recording: peaks on the clock of its sound, whatever the blocks that it arrives in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchscribe.audio.waveform import WaveformMeter
from batchscribe.window import FINEST_SAMPLES, MOST_PEAKS, SAMPLE_RATE, Samples, Waveform


def measure(sound: Samples, cuts: list[int]) -> Waveform:
    meter = WaveformMeter()
    blocks = np.split(sound, sorted(cuts), axis=1)
    assert sum(block.shape[1] for block in meter.watch(iter(blocks))) == sound.shape[1]
    found = meter.finish()
    assert found is not None
    return found


def expected(sound: Samples, size: int) -> list[bytes]:
    padded = np.pad(np.abs(sound), ((0, 0), (0, -sound.shape[1] % size)))
    peaks = padded.reshape(len(sound), -1, size).max(axis=2)
    return [np.rint(row * 255).astype(np.uint8).tobytes() for row in peaks]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_peaks_are_those_of_the_whole_sound_whatever_the_blocks(data: st.DataObject) -> None:
    n_channels = data.draw(st.integers(1, 3))
    n_samples = data.draw(st.integers(1, 6 * MOST_PEAKS * FINEST_SAMPLES))
    random = np.random.default_rng(data.draw(st.integers(0, 9)))
    sound = random.uniform(-1, 1, (n_channels, n_samples)).astype(np.float32) ** 9
    found = measure(sound, data.draw(st.lists(st.integers(0, n_samples), max_size=9)))
    size = round(found.peak_sec * SAMPLE_RATE)
    assert list(found.channels) == expected(sound, size)
    assert size == FINEST_SAMPLES or len(found.channels[0]) > MOST_PEAKS // 2
    assert len(found.channels[0]) <= MOST_PEAKS


@pytest.mark.parametrize("duration_sec", [0.01, 1.0, 47.99, 48.0, 48.01, 3600.0])
def test_a_recording_has_at_most_fifty_peaks_a_second_and_2400_in_total(duration_sec: float) -> None:
    meter = WaveformMeter()
    left = round(duration_sec * SAMPLE_RATE)
    while left:
        meter.add(np.zeros((1, min(left, SAMPLE_RATE)), dtype=np.float32))
        left -= min(left, SAMPLE_RATE)
    found = meter.finish()
    assert found is not None
    assert found.peak_sec >= 0.02
    assert len(found.channels[0]) <= MOST_PEAKS
    assert 0 <= len(found.channels[0]) * found.peak_sec - duration_sec <= found.peak_sec


def test_full_scale_is_255_and_silence_is_0() -> None:
    sound = np.zeros((1, 3 * FINEST_SAMPLES), dtype=np.float32)
    sound[0, FINEST_SAMPLES] = -1.0
    sound[0, 2 * FINEST_SAMPLES] = 0.5
    assert measure(sound, []).channels == (bytes([0, 255, 128]),)


def test_there_is_no_waveform_without_sound() -> None:
    assert WaveformMeter().finish() is None


def test_it_is_stored_as_one_row_of_bytes() -> None:
    waveform = Waveform(0.04, (b"abc", b"def"))
    assert Waveform.of_bytes(0.04, 2, waveform.as_bytes()) == waveform
