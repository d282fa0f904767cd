"""The published speaker models in a confined process, on recordings of real voices."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from batchscribe.settings import load_settings
from batchscribe.speakers.diarizer import Diarizer
from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.speaker_models import read_speaker_models
from batchscribe.speakers.speaker_pool import SpeakerPool
from batchscribe.window import SAMPLE_RATE, Samples


def sound_of(path: Path) -> Samples:
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    with av.open(str(path)) as file:
        parts = [part.to_ndarray()[0] for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate(parts).clip(-1, 1)


def test_a_confined_process_finds_the_same_turns_of_two_voices(speaker_models: Path, examples: Path) -> None:
    """It could not load a module that is needed only for real voices."""
    sound = np.concatenate([sound_of(examples / "weather.wav"), sound_of(examples / "council.m4a")])
    diarizer = Diarizer(read_speaker_models(speaker_models), SpeakerCount(), 1)
    diarizer.feed(sound)
    expected = diarizer.finish()
    assert {turn.speaker for turn in expected} == {0, 1}
    pool = SpeakerPool(load_settings(data_dir=speaker_models.parents[1]), threads=2, most_idle=1)
    try:
        for count in (SpeakerCount(), SpeakerCount(2, 2)):
            with pool.diarize(count) as speakers:
                for start in range(0, len(sound), SAMPLE_RATE):
                    speakers.feed(sound[start : start + SAMPLE_RATE])
                assert speakers.finish() == expected
    finally:
        pool.close()
