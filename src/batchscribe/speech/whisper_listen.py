"""One recognition pass over windows: encode, decode the text, align its words, and find doubts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchscribe.speech.doubts import Doubt, find_doubts
from batchscribe.speech.whisper_model import FRAMES_PER_SEC, Encoded, Hypothesis, SearchOptions, WhisperModel
from batchscribe.speech.words import fit_words
from batchscribe.window import Window, Word

#: Whisper was trained on 30 s, with silence after the sound.
ALL_FRAMES = 30 * FRAMES_PER_SEC
#: The work grows with the number of frames, so a window gets the fewest that do no harm: 10, 15, 20 or 30 s, including
#: at least 2 s of silence. On 19,928 words, the word error rate was the same as with 30 s, 21.0 %, and recordings of
#: five seconds took half of the CPU. With 5 s, or with 1 s of silence, the text more often continued beyond the speech.
#: More lengths would take more time, because only windows of the same length are decoded together.
LENGTHS = (10 * FRAMES_PER_SEC, 15 * FRAMES_PER_SEC, 20 * FRAMES_PER_SEC, ALL_FRAMES)
SILENCE_FRAMES = 2 * FRAMES_PER_SEC


def frames_for(window: Window) -> int:
    """Return the number of frames for the first pass over a window."""
    wanted = round(window.duration_sec * FRAMES_PER_SEC) + SILENCE_FRAMES
    return next((length for length in LENGTHS if length >= wanted), ALL_FRAMES)


@dataclass(frozen=True, slots=True)
class Take:
    """The result of one pass over a window. The words keep the space before them."""

    window: Window
    hypothesis: Hypothesis
    words: tuple[Word, ...]
    doubts: frozenset[Doubt]


def encode(model: WhisperModel, window: Window, n_frames: int) -> Encoded:
    return model.encode(model.features(window.samples, n_frames))


def listen(
    model: WhisperModel, encoded: Sequence[Encoded], windows: Sequence[Window], language: str, decoding: SearchOptions
) -> list[Take]:
    """Return one take per window. `encoded` has the results of `encode`, all with the same number of frames.

    `language` is one of Whisper's codes.
    """
    hypotheses = model.generate(encoded, language, decoding)
    return [
        _take(model, output, window, language, hypothesis)
        for output, window, hypothesis in zip(encoded, windows, hypotheses, strict=True)
    ]


def _take(model: WhisperModel, encoded: Encoded, window: Window, language: str, hypothesis: Hypothesis) -> Take:
    n_frames = max(1, round(window.duration_sec * FRAMES_PER_SEC))
    words = fit_words(model.align(encoded, language, hypothesis, n_frames), window)
    if hypothesis.text and not words:  # the alignment failed
        words = (Word(hypothesis.text, 0.0, window.duration_sec),)
    return Take(window, hypothesis, words, find_doubts(hypothesis, words, window))
