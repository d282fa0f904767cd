"""Floating-point samples beyond full scale are attenuated as a whole, and clicks do not determine the level."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from numpy.typing import NDArray

from batchscribe.audio.channels import Channels
from batchscribe.audio.file_view import BLOCK_BYTES, RemoteFile
from batchscribe.audio.track import AudioTrack
from batchscribe.input_formats import ALL_NAMES
from batchscribe.window import SAMPLE_RATE
from tests.audio_files import Bytes, noise, tone

Floats = NDArray[np.float64]
SPEECH: Floats = (tone(4.0, 200)[:, 0] * np.repeat([0.1, 3.5, 0.0, 0.5], SAMPLE_RATE) / 32768).astype(np.float64)


def float_wav(samples: Floats, bits: int = 32) -> bytes:
    data = samples.astype({16: "<f2", 32: "<f4", 64: "<f8"}[bits]).tobytes()
    form = struct.pack("<HHIIHH", 3, 1, SAMPLE_RATE, SAMPLE_RATE * bits // 8, bits // 8, bits)
    head = struct.pack("<4sI4s4sI16s4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, form, b"data", len(data))
    return head + data


def decoded(content: bytes) -> tuple[Channels, tuple[str, ...]]:
    source = Bytes(content)
    track = AudioTrack(RemoteFile(source.size, source.read), input_formats=ALL_NAMES, apart=False, max_sec=1e6)
    channels = np.concatenate(list(track.blocks(lambda: None)), axis=1)
    warnings = track.media.warnings
    track.close()
    return channels, warnings


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("factor", [1.0, 0.001, 1.1])
def test_samples_within_full_scale_stay_as_they_are(factor: float, bits: int) -> None:
    channels, warnings = decoded(float_wav(SPEECH * factor, bits))
    assert np.array_equal(channels[0], (SPEECH * factor).astype(np.float32))
    assert warnings == ()


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("factor", [1.5, 4.0, 16.0, 32768.0, 2.0**31])
def test_a_recording_beyond_full_scale_keeps_its_shape(factor: float, bits: int) -> None:
    channels, _ = decoded(float_wav(SPEECH * factor, bits))
    assert 0.85 < np.abs(channels).max() <= 1.0
    quiet = np.abs(channels[0, : SAMPLE_RATE // 2]).max() / np.abs(channels).max()
    assert quiet == pytest.approx(np.abs(SPEECH[: SAMPLE_RATE // 2]).max() / np.abs(SPEECH).max(), rel=0.01)
    correlation = np.corrcoef(channels[0], SPEECH)[0, 1]
    assert correlation > 0.9999


def test_attenuation_of_more_than_12_db_is_reported() -> None:
    peak = np.abs(SPEECH).max()
    assert decoded(float_wav(SPEECH / peak * 10 ** (11.9 / 20)))[1] == ()
    (warning,) = decoded(float_wav(SPEECH / peak * 10 ** (17.9 / 20)))[1]
    assert warning == "The recording is 18.0 dB above full scale and was attenuated."


def test_clicks_and_nan_values_do_not_silence_the_rest() -> None:
    damaged = SPEECH.copy()
    damaged[[5, 6_000]] = 1e4, -1e30
    damaged[7_000:7_100] = np.nan
    damaged[8_000:8_100] = 3e38
    channels, warnings = decoded(float_wav(damaged))
    sound = np.isfinite(damaged) & (np.abs(damaged) <= 1.0)
    assert np.array_equal(channels[0][sound], SPEECH.astype(np.float32)[sound])
    assert np.abs(channels).max() <= 1.0
    assert warnings == ()


def test_a_long_recording_is_sampled_and_attenuated_from_its_start() -> None:
    source = Bytes(float_wav(np.tile(noise(5.0)[:, 0] / 100.0, 400)))
    track = AudioTrack(RemoteFile(source.size, source.read), input_formats=ALL_NAMES, apart=False, max_sec=1e6)
    assert len(source.reads) < 70 < 100 < source.size / BLOCK_BYTES
    first_block = next(iter(track.blocks(lambda: None)))
    assert np.mean(np.abs(first_block) == 1.0) < 0.001
    track.close()


def test_equal_bytes_give_equal_samples() -> None:
    content = float_wav(SPEECH * 100)
    assert np.array_equal(decoded(content)[0], decoded(content)[0])
