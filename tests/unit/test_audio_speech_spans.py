"""Our spans, found window by window, against those that faster-whisper finds in the whole recording."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from batchscribe.audio.speech_spans import WINDOW_SAMPLES, Span, SpeechSpans, Stretch, VoiceOptions
from batchscribe.window import SAMPLE_RATE

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # CTranslate2 still imports pkg_resources on some versions
    from faster_whisper import vad

DEFAULTS = VoiceOptions()
SHORT = replace(DEFAULTS, max_segment_sec=4.0)
WINDOWS_PER_SEC = SAMPLE_RATE / WINDOW_SAMPLES
SPEECH, SILENCE = 1.0, 0.0  #: unambiguous probabilities
DOUBT = (DEFAULTS.threshold + DEFAULTS.release_threshold) / 2  #: an ambiguous one


def reference_spans(
    probabilities: list[float], n_samples: int, options: VoiceOptions, monkeypatch: pytest.MonkeyPatch
) -> list[Span]:
    """Return faster-whisper's spans for the same probabilities."""
    monkeypatch.setattr(vad, "get_vad_model", lambda: lambda _audio: np.array(probabilities))
    found = vad.get_speech_timestamps(
        np.zeros(n_samples, dtype=np.float32),
        threshold=options.threshold,
        neg_threshold=options.release_threshold,
        min_speech_duration_ms=int(options.min_speech_sec * 1000),
        max_speech_duration_s=options.max_segment_sec,
        min_silence_duration_ms=int(options.min_silence_sec * 1000),
        speech_pad_ms=int(options.pad_sec * 1000),
    )
    return [Span(span["start"], span["end"]) for span in found]


def our_stretches(probabilities: list[float], n_samples: int, options: VoiceOptions, step: int) -> list[Stretch]:
    spans = SpeechSpans(options)
    found = [
        stretch
        for start in range(0, len(probabilities), step)
        for stretch in spans.accept(probabilities[start : start + step])
    ]
    return found + spans.finish(n_samples)


def our_spans(probabilities: list[float], n_samples: int, options: VoiceOptions, step: int) -> list[Span]:
    return [Span(start, end) for start, end, _ in our_stretches(probabilities, n_samples, options, step)]


def babble(seed: int, duration_sec: float = 120.0) -> list[float]:
    """Return varying probabilities: speech and pauses of all lengths, short peaks and ambiguous stretches."""
    random = np.random.default_rng(seed)
    windows: list[float] = []
    while len(windows) < duration_sec * WINDOWS_PER_SEC:
        level = random.choice([0.02, DOUBT, 0.97], p=[0.4, 0.1, 0.5])
        length = int(random.exponential(25)) + 1
        windows += np.clip(level + random.normal(0, 0.08, length), 0, 1).tolist()
    return windows


@pytest.mark.parametrize("options", [DEFAULTS, SHORT], ids=["defaults", "short stretches"])
@pytest.mark.parametrize("seed", range(12))
def test_spans_are_those_of_faster_whisper(seed: int, options: VoiceOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities = babble(seed)
    n_samples = len(probabilities) * WINDOW_SAMPLES - 77 * seed % WINDOW_SAMPLES
    assert our_spans(probabilities, n_samples, options, 31) == reference_spans(
        probabilities, n_samples, options, monkeypatch
    )


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_spans_do_not_depend_on_how_the_windows_arrive(step: int) -> None:
    probabilities = babble(99)
    n_samples = len(probabilities) * WINDOW_SAMPLES
    whole = our_stretches(probabilities, n_samples, DEFAULTS, 100_000)
    assert our_stretches(probabilities, n_samples, DEFAULTS, step) == whole


def test_a_long_speech_is_cut_at_its_last_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pause = [SILENCE] * 6
    speech = [SPEECH] * round(28 * WINDOWS_PER_SEC) + pause + [SPEECH] * round(10 * WINDOWS_PER_SEC)
    first, second = our_spans(speech, len(speech) * WINDOW_SAMPLES, DEFAULTS, 50)
    assert first.end / SAMPLE_RATE == pytest.approx(28.1, abs=0.1)
    assert second.start == first.end
    assert [first, second] == reference_spans(speech, len(speech) * WINDOW_SAMPLES, DEFAULTS, monkeypatch)


def test_no_span_is_longer_than_the_limit() -> None:
    speech = [SPEECH] * round(200 * WINDOWS_PER_SEC)
    spans = our_spans(speech, len(speech) * WINDOW_SAMPLES, DEFAULTS, 50)
    assert max(span.end - span.start for span in spans) <= DEFAULTS.max_segment_sec * SAMPLE_RATE
    assert len(spans) == 7


def test_a_stretch_knows_where_in_it_the_speech_is_without_the_padding() -> None:
    lead, spoken, rest = 100, 60, 200
    windows = [SILENCE] * lead + [SPEECH] * spoken + [SILENCE] * rest
    [stretch] = our_stretches(windows, len(windows) * WINDOW_SAMPLES, DEFAULTS, 20)
    pad = round(DEFAULTS.pad_sec * SAMPLE_RATE)
    speech = Span(lead * WINDOW_SAMPLES, (lead + spoken) * WINDOW_SAMPLES)
    assert stretch == Stretch(speech.start - pad, speech.end + pad, (speech,))


@pytest.mark.parametrize("seed", range(4))
def test_the_speech_lies_inside_its_stretch(seed: int) -> None:
    probabilities = babble(seed)
    for stretch in our_stretches(probabilities, len(probabilities) * WINDOW_SAMPLES - 300, DEFAULTS, 31):
        [speech] = stretch.speech
        assert stretch.start <= speech.start < speech.end <= stretch.end


def test_samples_that_nothing_needs_any_more_are_let_go() -> None:
    spans = SpeechSpans(DEFAULTS)
    spans.accept([SPEECH] * 50 + [SILENCE] * 200)
    assert spans.needed_from == 250 * WINDOW_SAMPLES - round(DEFAULTS.pad_sec * SAMPLE_RATE)
    spans.accept([SPEECH] * 10)
    assert spans.needed_from == 250 * WINDOW_SAMPLES - round(DEFAULTS.pad_sec * SAMPLE_RATE)


@pytest.mark.parametrize("seed", range(6))
def test_no_span_reaches_back_before_what_was_declared_needed(seed: int) -> None:
    spans = SpeechSpans(DEFAULTS)
    for probability in babble(seed, 60.0):
        needed_from = spans.needed_from
        assert all(span.start >= needed_from for span in spans.accept([probability]))


def test_the_folder_of_the_voice_model_is_that_of_faster_whisper() -> None:
    assert (Path(vad.__file__).parent / "assets" / "silero_vad_v6.onnx").is_file()
