from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from batchscribe.audio.segmenter import BLOCK_SAMPLES, VoicedSegmenter
from batchscribe.audio.speech_spans import VoiceOptions
from batchscribe.audio.voice import WINDOW_SAMPLES, VoiceStream
from batchscribe.segment import SAMPLE_RATE, Samples, Segment
from tests.audio_files import samples_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from faster_whisper import vad


def spoken(examples: Path) -> Samples:
    """Speech and silence, enough for several blocks of voice activity."""
    speech = samples_of(examples / "weather.wav")
    pause = np.zeros(2 * SAMPLE_RATE, dtype=np.float32)
    return np.concatenate([speech, pause] * (12 * BLOCK_SAMPLES // len(speech) + 1))


def segments_of(samples: Samples, step: int) -> list[Segment]:
    segmenter = VoicedSegmenter(0, VoiceOptions())
    found = [
        segment for start in range(0, len(samples), step) for segment in segmenter.accept(samples[start : start + step])
    ]
    return found + list(segmenter.finish())


def test_probabilities_of_a_stream_are_bit_for_bit_those_of_one_call(examples: Path) -> None:
    samples = spoken(examples)
    samples = samples[: len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES]
    stream = VoiceStream()
    steps = [stream.probabilities(samples[at : at + 7 * WINDOW_SAMPLES]) for at in range(0, len(samples), 7 * 512)]
    whole = VoiceStream().probabilities(samples)
    assert np.array_equal(np.concatenate(steps), whole)
    assert np.array_equal(whole, vad.get_vad_model()(samples.copy()).reshape(-1))


def test_segments_are_where_faster_whisper_hears_speech(examples: Path) -> None:
    samples = spoken(examples)
    expected = vad.get_speech_timestamps(
        samples.copy(),
        neg_threshold=0.35,
        min_speech_duration_ms=100,
        max_speech_duration_s=30,
        min_silence_duration_ms=500,
        speech_pad_ms=400,
    )
    found = segments_of(samples, 16_000)
    assert len(found) > 2
    assert [(round(s.start_sec * SAMPLE_RATE), len(s.samples)) for s in found] == [
        (span["start"], span["end"] - span["start"]) for span in expected
    ]


@pytest.mark.parametrize("step", [1_000, 16_384, 10_000_000])
def test_segments_carry_their_own_samples_however_the_audio_arrives(examples: Path, step: int) -> None:
    samples = spoken(examples)
    for segment in segments_of(samples, step):
        start = round(segment.start_sec * SAMPLE_RATE)
        assert np.array_equal(segment.samples, samples[start : start + len(segment.samples)])


def test_every_recording_of_the_corpus_gives_the_segments_of_faster_whisper(corpus: Path) -> None:
    for path in sorted(corpus.glob("made-noisy/*.wav"))[:6]:
        samples = samples_of(path)
        expected = vad.get_speech_timestamps(
            samples.copy(),
            neg_threshold=0.35,
            min_speech_duration_ms=100,
            max_speech_duration_s=30,
            min_silence_duration_ms=500,
            speech_pad_ms=400,
        )
        found = [(round(s.start_sec * SAMPLE_RATE), len(s.samples)) for s in segments_of(samples, 16_384)]
        assert found == [(span["start"], span["end"] - span["start"]) for span in expected], path.name


@pytest.mark.parametrize("n_samples", [1, 511, 512, 1600])
def test_a_moment_of_silence_has_no_segments(n_samples: int) -> None:
    assert segments_of(np.zeros(n_samples, dtype=np.float32), 16_384) == []


def test_the_decoder_process_does_not_load_the_speech_engines() -> None:
    script = (
        "import sys, batchscribe.audio.child, batchscribe.audio.voice as voice; voice._session();"
        "heavy = {'faster_whisper', 'ctranslate2', 'dbos', 'sqlalchemy', 'typer', 'pydantic'} & sys.modules.keys();"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
