"""Windows for the check of an engine: of all lengths, with sounds that engines find hard."""

from __future__ import annotations

import numpy as np

from batchscribe.speech.engine import WINDOW_SEC, EngineSpec, RecognitionRequest
from batchscribe.speech.languages import canonical_language
from batchscribe.window import SAMPLE_RATE, Samples, Window

#: Duration of each window in seconds, by its name. None: a single sample.
DURATIONS_SEC = {
    "a single sample": None,
    "10 ms": 0.01,
    "0.1 s": 0.1,
    "0.5 s": 0.5,
    "3 s": 3.0,
    "7 s": 7.0,
    "7 s again": 7.0,
    "the longest": WINDOW_SEC,
}
NAMES = tuple(DURATIONS_SEC)


def make_requests(spec: EngineSpec, longest_sec: float = WINDOW_SEC) -> list[RecognitionRequest]:
    """Return one request for each of `NAMES`, with read-only samples that sound somewhat like speech.

    None is longer than the engine accepts. For slow engines, `longest_sec` shortens the longer ones.
    """
    longest_sec = min(longest_sec, spec.longest_sec)
    return [
        _request(spec, speechlike(1 if sec is None else round(min(sec, longest_sec) * SAMPLE_RATE), seed))
        for seed, sec in enumerate(DURATIONS_SEC.values())
    ]


def silent_requests(spec: EngineSpec) -> list[RecognitionRequest]:
    """Return requests with no samples, and with zeros."""
    return [_request(spec, np.zeros(count, np.float32)) for count in (0, 160, SAMPLE_RATE)]


def _request(spec: EngineSpec, samples: Samples) -> RecognitionRequest:
    samples.setflags(write=False)
    return RecognitionRequest(Window(0, 0.0, samples), canonical_language(spec.languages[0]))


def speechlike(count: int, seed: int) -> Samples:
    """Return vowel-like tones in syllables, with noise: float32[count], below 0.5."""
    rng = np.random.default_rng(seed)
    times = np.arange(count) / SAMPLE_RATE
    pitch = 110 + 15 * np.sin(2 * np.pi * 0.7 * times + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    voice = sum(np.sin(phase * harmonic) * weight for harmonic, weight in ((1, 0.5), (4, 0.3), (9, 0.2), (22, 0.1)))
    syllables = np.clip(np.sin(2 * np.pi * (2.5 + 0.2 * seed) * times), 0, 1)
    return (0.3 * voice * syllables + 0.003 * rng.standard_normal(count)).astype(np.float32)
