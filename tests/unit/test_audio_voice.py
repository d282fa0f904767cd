from __future__ import annotations

import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from batchscribe.audio.loudness import Loudness
from batchscribe.audio.segmenter import BLOCK_SAMPLES, VoicedSegmenter, segmenter
from batchscribe.audio.speech_spans import WINDOW_SAMPLES, VoiceOptions, VoiceStream
from batchscribe.window import SAMPLE_RATE, Samples, Window
from tests.audio_files import samples_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from faster_whisper import vad


def spoken(examples: Path) -> Samples:
    """Speech and silence, enough for several blocks of voice activity."""
    speech = samples_of(examples / "weather.wav")
    pause = np.zeros(2 * SAMPLE_RATE, dtype=np.float32)
    return np.concatenate([speech, pause] * (12 * BLOCK_SAMPLES // len(speech) + 1))


def loud(samples: Samples) -> Samples:
    """Return the sound so loud that the voice detector does not amplify it, clipped if necessary."""
    louder: Samples = np.clip(samples * np.float32(4.0), -1.0, 1.0)
    loudness = Loudness()
    for start in range(0, len(louder), BLOCK_SAMPLES):
        block = louder[start : start + BLOCK_SAMPLES]
        assert loudness.amplify(block) is block
    return louder


def windows_of(samples: Samples, step: int, window_sec: float = 0.0) -> list[Window]:
    voiced = VoicedSegmenter(0, VoiceOptions(), window_sec)
    found = [
        window for start in range(0, len(samples), step) for window in voiced.accept(samples[start : start + step])
    ]
    return found + list(voiced.finish())


def span_of(window: Window) -> tuple[int, int]:
    start = round(window.start_sec * SAMPLE_RATE)
    return start, start + len(window.samples)


def spans_of_faster_whisper(samples: Samples) -> list[tuple[int, int]]:
    options = VoiceOptions()
    found = vad.get_speech_timestamps(
        samples.copy(),
        threshold=options.threshold,
        neg_threshold=options.release_threshold,
        min_speech_duration_ms=round(options.min_speech_sec * 1000),
        max_speech_duration_s=options.max_segment_sec,
        min_silence_duration_ms=round(options.min_silence_sec * 1000),
        speech_pad_ms=round(options.pad_sec * 1000),
    )
    return [(span["start"], span["end"]) for span in found]


def test_probabilities_of_a_stream_are_bit_for_bit_those_of_one_call(examples: Path) -> None:
    samples = spoken(examples)
    samples = samples[: len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES]
    stream = VoiceStream()
    steps = [stream.probabilities(samples[at : at + 7 * WINDOW_SAMPLES]) for at in range(0, len(samples), 7 * 512)]
    whole = VoiceStream().probabilities(samples)
    assert np.array_equal(np.concatenate(steps), whole)
    assert np.array_equal(whole, vad.get_vad_model()(samples.copy()).reshape(-1))


def test_windows_are_where_faster_whisper_finds_speech(examples: Path) -> None:
    samples = loud(spoken(examples))
    found = [span_of(window) for window in windows_of(samples, 16_000)]
    assert len(found) > 2
    assert found == spans_of_faster_whisper(samples)


def test_every_recording_of_the_corpus_gives_the_windows_of_faster_whisper(corpus: Path) -> None:
    for path in sorted(corpus.glob("made-noisy/*.wav"))[:6]:
        samples = loud(samples_of(path))
        found = [span_of(window) for window in windows_of(samples, 16_384)]
        assert found == spans_of_faster_whisper(samples), path.name


@pytest.mark.parametrize("quieter_db", [40, 50])
def test_a_quiet_recording_gives_the_windows_of_a_loud_one(examples: Path, quieter_db: int) -> None:
    """A call of eight turns, in 16 bits. Without amplification whole turns go missing at 50 dB."""
    samples = samples_of(examples / "library-call.mp3")
    quiet = (np.round(samples * 32768 * 10 ** (-quieter_db / 20)) / 32768).astype(np.float32)
    expected, found = windows_of(samples, 16_384), windows_of(quiet, 16_384)
    assert len(found) == len(expected) > 2
    for window, same in zip(found, expected, strict=True):
        assert span_of(window) == pytest.approx(span_of(same), abs=0.2 * SAMPLE_RATE)
        start, end = span_of(window)
        assert np.array_equal(window.samples, quiet[start:end]), "an engine gets what was recorded"


@pytest.mark.parametrize("window_sec", [0.0, 30.0])
@pytest.mark.parametrize("step", [1_000, 16_384, 10_000_000])
def test_windows_carry_their_own_samples_however_the_audio_arrives(
    examples: Path, step: int, window_sec: float
) -> None:
    samples = spoken(examples)
    windows = windows_of(samples, step, window_sec)
    for window in windows:
        start, end = span_of(window)
        assert np.array_equal(window.samples, samples[start:end])
    expected = windows_of(samples, 50_000, window_sec)
    assert [(span_of(each), each.speech) for each in windows] == [(span_of(each), each.speech) for each in expected]


def test_windows_that_are_filled_hold_the_same_speech_as_those_that_are_not(examples: Path) -> None:
    samples = samples_of(examples / "library-call.mp3")
    filled, single = windows_of(samples, 16_384, 30.0), windows_of(samples, 16_384)
    assert len(filled) < len(single)
    assert all(window.duration_sec <= 30.0 for window in filled)
    assert speech_in(filled) == pytest.approx(speech_in(single))
    for window in filled:
        assert window.speech is not None
        assert all(0.0 <= start < end <= window.duration_sec for start, end in window.speech)


def test_a_window_is_available_before_the_recording_is_fully_decoded(examples: Path) -> None:
    voiced = VoicedSegmenter(0, VoiceOptions(), 30.0)
    samples = samples_of(examples / "weather.wav")
    silence = np.zeros(4 * BLOCK_SAMPLES, dtype=np.float32)
    assert len(list(voiced.accept(np.concatenate([samples, silence])))) == 1
    assert list(voiced.finish()) == []


def speech_in(windows: list[Window]) -> list[float]:
    """Return where speech begins and ends, in seconds from the start of the recording."""
    return [window.start_sec + edge for window in windows for span in window.speech or () for edge in span]


@pytest.mark.parametrize("n_samples", [1, 511, 512, 1600])
@pytest.mark.parametrize("window_sec", [0.0, 30.0])
def test_a_moment_of_silence_has_no_windows(n_samples: int, window_sec: float) -> None:
    assert windows_of(np.zeros(n_samples, dtype=np.float32), 16_384, window_sec) == []


def test_hours_of_digital_silence_cost_next_to_nothing_and_what_follows_keeps_its_time(examples: Path) -> None:
    speech = loud(samples_of(examples / "weather.wav"))
    voiced = VoicedSegmenter(0, VoiceOptions(), 0.0)
    silence = np.zeros(BLOCK_SAMPLES, dtype=np.float32)
    n_blocks = 6 * 3600 * SAMPLE_RATE // BLOCK_SAMPLES
    windows = list(voiced.accept(speech))
    cpu_sec = time.process_time()
    for _ in range(n_blocks):
        windows += voiced.accept(silence)
    cpu_sec = time.process_time() - cpu_sec
    windows += [*voiced.accept(speech), *voiced.finish()]
    hole_sec = len(speech) / SAMPLE_RATE + n_blocks * BLOCK_SAMPLES / SAMPLE_RATE
    before = [window for window in windows if window.start_sec < hole_sec]
    behind = [window.start_sec - hole_sec for window in windows if window.start_sec >= hole_sec]
    assert behind == pytest.approx([window.start_sec for window in before], abs=0.1)
    assert cpu_sec < 10.0  # 0.2 s; with the network 40 s


def test_the_decoder_process_does_not_load_the_speech_engines() -> None:
    script = (
        "import sys, batchscribe.audio.decoder_child, batchscribe.audio.speech_spans as voice; voice._session();"
        "heavy = {'faster_whisper', 'ctranslate2', 'dbos', 'sqlalchemy', 'typer', 'pydantic'} & sys.modules.keys();"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("segmentation", ["auto", "none"])
@pytest.mark.parametrize("window_sec", [10.0, 25.0, 30.0, 0.0])
def test_no_window_is_longer_than_the_engine_accepts(examples: Path, segmentation: str, window_sec: float) -> None:
    """Also of speech without a pause: GigaAM, for example, accepts 25 s."""
    speech = samples_of(examples / "weather.wav")
    voiced = speech[np.abs(speech) > 0.02]  # hardly a pause is left
    cutter = segmenter(0, segmentation, window_sec)
    windows = [*cutter.accept(np.resize(voiced, 100 * SAMPLE_RATE)), *cutter.finish()]
    longest_sec = max(window.duration_sec for window in windows)
    assert longest_sec <= (window_sec or 30.0)
    assert longest_sec >= (window_sec or 30.0) - 6.0
