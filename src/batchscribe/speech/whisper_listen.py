"""One way of listening to windows: encode, search for the text, time its words, and say what is doubtful about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchscribe.speech.doubts import Doubt, doubts_of
from batchscribe.speech.whisper_model import FRAMES_PER_SEC, Decoding, Encoded, Hypothesis, WhisperModel
from batchscribe.speech.words import fit_words
from batchscribe.window import Window, Word

#: What Whisper was trained on: 30 s, with silence behind the sound.
ALL_FRAMES = 30 * FRAMES_PER_SEC
#: Most of the work grows with the frames, so a window gets as few as do no harm: 10, 15, 20 or 30 s, with at least 2 s
#: of silence. On 19,928 words the word error rate was the same as with 30 s, 21.0 %, and recordings of five seconds
#: took half of the CPU. With 5 s, and with 1 s of silence, the text went on behind the end of the speech more often.
#: More lengths would take more time, not less: only windows of the same length are decoded at once.
LENGTHS = (10 * FRAMES_PER_SEC, 15 * FRAMES_PER_SEC, 20 * FRAMES_PER_SEC, ALL_FRAMES)
SILENCE_FRAMES = 2 * FRAMES_PER_SEC


def frames_for(window: Window) -> int:
    """How many frames a window is heard in, at first."""
    wanted = round(window.duration_sec * FRAMES_PER_SEC) + SILENCE_FRAMES
    return next((length for length in LENGTHS if length >= wanted), ALL_FRAMES)


@dataclass(frozen=True, slots=True)
class Take:
    """The result of listening to a window in one way. The words keep the space in front of them."""

    window: Window
    hypothesis: Hypothesis
    words: tuple[Word, ...]
    doubts: frozenset[Doubt]


def encode(model: WhisperModel, window: Window, n_frames: int) -> Encoded:
    return model.encode(model.features(window.samples, n_frames))


def listen(
    model: WhisperModel, encoded: Sequence[Encoded], windows: Sequence[Window], language: str, decoding: Decoding
) -> list[Take]:
    """`encoded` is what `encode` returned for each window, all with the same number of frames; `language` is one of
    Whisper's codes.
    """
    hypotheses = model.generate(encoded, language, decoding)
    return [
        _take(model, output, window, language, hypothesis)
        for output, window, hypothesis in zip(encoded, windows, hypotheses, strict=True)
    ]


def _take(model: WhisperModel, encoded: Encoded, window: Window, language: str, hypothesis: Hypothesis) -> Take:
    n_frames = max(1, round(window.duration_sec * FRAMES_PER_SEC))
    words = fit_words(model.align(encoded, language, hypothesis, n_frames), window)
    if hypothesis.text and not words:  # the alignment found no place for them
        words = (Word(hypothesis.text, 0.0, window.duration_sec),)
    return Take(window, hypothesis, words, doubts_of(hypothesis, words, window))
