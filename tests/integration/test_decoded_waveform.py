"""The waveform that a decoder measures: on the clock of the words in every container, and of the whole track."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DecoderPool, Position
from batchscribe.window import SAMPLE_RATE, Waveform, Window
from tests.audio_files import Bytes, Int16, encoded, samples_of, wav

CLICKS_SEC = (0.5, 7.25, 30.0, 61.4, 88.9)
LENGTH_SEC = 95.0
RATE = 44_100


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(1, DecodeLimits()) as pool:
        yield pool


def decoded(
    pool: DecoderPool,
    content: bytes,
    *,
    apart: bool = False,
    segmentation: str = "none",
    continue_at: Position | None = None,
) -> tuple[Waveform, list[Window], Position | None]:
    with pool.decode(
        Bytes(content),
        channels_apart=apart,
        segmentation=segmentation,  # type: ignore[arg-type]
        window_sec=30.0,
        continue_at=continue_at,
    ) as decoding:
        windows = list(decoding.windows())
    waveform = decoding.media.waveform
    assert waveform is not None
    assert 0 <= len(waveform.channels[0]) * waveform.peak_sec - decoding.media.duration_sec < waveform.peak_sec + 1e-6
    return waveform, windows, decoding.position


def clicks(*channels: tuple[float, ...]) -> Int16:
    """Return 20 ms of loud noise at these times in each channel, and quiet noise between them."""
    random = np.random.default_rng(1)
    sound = random.normal(0, 30, (round(LENGTH_SEC * RATE), len(channels)))
    for number, times in enumerate(channels):
        for sec in times:
            start = round(sec * RATE)
            sound[start : start + RATE // 50, number] = random.uniform(-30_000, 30_000, RATE // 50)
    return sound.astype(np.int16)


def loud_times(samples_by_time: list[tuple[float, float]]) -> list[float]:
    """Return when loud stretches begin. The pairs are a time and a level from 0 to 1."""
    loud = [sec for sec, level in samples_by_time if level > 0.25]
    return [sec for before, sec in zip([-9.0, *loud], loud, strict=False) if sec - before > 1.0]


def times_in(waveform: Waveform, channel: int = 0) -> list[float]:
    return loud_times([(n * waveform.peak_sec, peak / 255) for n, peak in enumerate(waveform.channels[channel])])


def times_of_words(windows: list[Window], channel: int = 0) -> list[float]:
    """Return the clicks on the clock of the windows, which is that of the words."""
    of_channel = [window for window in windows if window.channel == channel]
    return loud_times(
        [
            (window.start_sec + at / SAMPLE_RATE, float(np.abs(window.samples[at : at + 16]).max()))
            for window in of_channel
            for at in range(0, len(window.samples), 16)
        ]
    )


@pytest.mark.parametrize("form", ["wav", "mp3", "m4a", "alac"])
def test_the_peaks_are_on_the_clock_of_the_words(pool: DecoderPool, form: str) -> None:
    """The M4A has an edit list, which cuts off the priming of its codec."""
    sound = clicks(CLICKS_SEC)
    content = {
        "wav": lambda: wav(sound, rate=RATE),
        "mp3": lambda: encoded([sound], codec="mp3", container="mp3", rate=RATE),
        "m4a": lambda: encoded([sound], codec="aac", container="mp4", rate=RATE),
        "alac": lambda: encoded([sound], codec="alac", container="mp4", rate=RATE),
    }[form]()
    assert form != "m4a" or b"elst" in content
    waveform, windows, _ = decoded(pool, content)
    on_the_clock = times_of_words(windows)
    assert len(on_the_clock) == len(CLICKS_SEC)
    for shown, spoken in zip(times_in(waveform), on_the_clock, strict=True):
        assert spoken - waveform.peak_sec <= shown <= spoken + 0.001
    assert np.allclose(on_the_clock, CLICKS_SEC, atol=0.06 if form == "mp3" else 0.02)


def test_channels_that_are_kept_apart_have_a_waveform_each(pool: DecoderPool) -> None:
    content = wav(clicks((1.0, 20.0), (40.0,)), rate=RATE)
    waveform, windows, _ = decoded(pool, content, apart=True)
    for channel, times in enumerate([(1.0, 20.0), (40.0,)]):
        assert np.allclose(times_in(waveform, channel), times, atol=waveform.peak_sec)
        assert np.allclose(times_of_words(windows, channel), times, atol=0.01)


def test_mixed_channels_have_one_waveform(pool: DecoderPool) -> None:
    waveform, _, _ = decoded(pool, wav(clicks((1.0, 20.0), (40.0,)), rate=RATE))
    assert len(waveform.channels) == 1
    assert np.allclose(times_in(waveform), (1.0, 20.0, 40.0), atol=waveform.peak_sec)


def test_after_a_restart_the_waveform_is_complete(pool: DecoderPool, examples: Path) -> None:
    speech = samples_of(examples / "weather.wav")
    content = wav((np.resize(speech, 130 * SAMPLE_RATE) * 32_000).astype(np.int16)[:, np.newaxis])
    whole, windows, position = decoded(pool, content, segmentation="auto")
    assert position is not None
    again, rest, _ = decoded(pool, content, segmentation="auto", continue_at=position)
    assert len(rest) < len(windows)
    assert again == whole


def test_the_waveform_is_that_of_the_track_with_speech(pool: DecoderPool, examples: Path) -> None:
    speech = (samples_of(examples / "weather.wav") * 32_000).astype(np.int16)[:, np.newaxis]
    content = encoded([np.zeros_like(speech), speech], codec="aac", container="mp4", tracks=2)
    waveform, windows, _ = decoded(pool, content, segmentation="auto")
    assert windows
    assert max(waveform.channels[0]) > 25


def test_a_recording_without_speech_has_a_waveform_too(pool: DecoderPool) -> None:
    waveform, windows, _ = decoded(pool, wav(clicks((3.0,)), rate=RATE), segmentation="auto")
    assert times_in(waveform) == pytest.approx([3.0], abs=waveform.peak_sec)
    assert len(windows) <= 1
