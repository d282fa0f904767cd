"""Diarization with the real models, on the recordings of the repository."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from batchscribe.speakers.diarizer import Diarizer
from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.speaker_models import SpeakerModels, read_speaker_models
from batchscribe.window import SAMPLE_RATE, Samples, SpeakerTurn


@pytest.fixture(scope="module")
def models(speaker_models: Path) -> SpeakerModels:
    return read_speaker_models(speaker_models)


def sound_of(path: Path, duration_sec: float = 60.0) -> Samples:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE)
        frames = [frame for decoded in container.decode(audio=0) for frame in resampler.resample(decoded)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return samples[: int(duration_sec * SAMPLE_RATE)]


def diarize(
    models: SpeakerModels,
    sound: Samples,
    *,
    count: SpeakerCount | None = None,
    threads: int = 2,
    piece: int = 16_000,
) -> tuple[SpeakerTurn, ...]:
    diarizer = Diarizer(models, count or SpeakerCount(), threads)
    for first in range(0, len(sound), piece):
        diarizer.feed(sound[first : first + piece])
    return diarizer.finish()


def test_two_speakers_of_a_call_take_turns(models: SpeakerModels, examples: Path) -> None:
    turns = diarize(models, sound_of(examples / "library-call.mp3"))
    assert [turn.speaker for turn in turns] == [number % 2 for number in range(len(turns))]


def test_one_speaker_alone_is_one_speaker(models: SpeakerModels, examples: Path) -> None:
    turns = diarize(models, sound_of(examples / "weather.wav"))
    assert {turn.speaker for turn in turns} == {0}
    assert sum(turn.end_sec - turn.start_sec for turn in turns) == pytest.approx(15, abs=1.5)


def test_noise_and_silence_have_no_speaker(models: SpeakerModels) -> None:
    noise = np.random.default_rng(2).normal(0, 0.05, 20 * SAMPLE_RATE).astype(np.float32)
    assert diarize(models, noise) == ()
    assert diarize(models, np.zeros(20 * SAMPLE_RATE, dtype=np.float32)) == ()
    assert diarize(models, np.zeros(0, dtype=np.float32)) == ()


@pytest.mark.parametrize("duration_sec", [1, 3])
@pytest.mark.parametrize("hertz", [150, 250, 400, 1_000])
def test_a_tone_has_no_speaker(models: SpeakerModels, hertz: int, duration_sec: int) -> None:
    times = np.arange(duration_sec * SAMPLE_RATE) / SAMPLE_RATE
    assert diarize(models, (0.3 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)) == ()


def test_a_given_number_of_speakers_is_met(models: SpeakerModels, examples: Path) -> None:
    sound = sound_of(examples / "library-call.mp3")
    assert {turn.speaker for turn in diarize(models, sound, count=SpeakerCount(1, 1))} == {0}
    assert {turn.speaker for turn in diarize(models, sound, count=SpeakerCount(3, 3))} == {0, 1, 2}


def test_the_result_depends_neither_on_the_division_of_the_sound_nor_on_the_cores(
    models: SpeakerModels, examples: Path
) -> None:
    """Longer than a section, so that sections begin at different calls of `feed`."""
    sound = sound_of(examples / "village.m4a", 130.0)
    expected = diarize(models, sound, threads=1, piece=len(sound))
    assert len({turn.speaker for turn in expected}) == 2
    assert diarize(models, sound, threads=2, piece=9_999) == expected
    assert diarize(models, sound, threads=3, piece=777_777) == expected


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_a_recording_that_ends_with_a_section_loses_nothing(models: SpeakerModels, examples: Path, extra: int) -> None:
    """A section is complete with 12 windows of ten seconds, one every 7.29 s."""
    sound = sound_of(examples / "village.m4a", 120.0)[: 11 * 116_640 + 160_000 + extra]
    whole = diarize(models, sound)
    assert whole[-1].end_sec > len(sound) / SAMPLE_RATE - 3
    assert diarize(models, sound, piece=len(sound)) == whole
