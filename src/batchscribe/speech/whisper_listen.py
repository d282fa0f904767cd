"""Recognition passes over windows: encode, decode the text, align its words, and find doubts.

A window may need several passes, each of which depends on the one before. So its recognition is a generator of passes
that receives their takes. `run_together` runs many of them, and those passes of one round that are of the same kind
share the calls of the model.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from batchscribe.speech.doubts import Doubt, find_doubts
from batchscribe.speech.whisper_model import FRAMES_PER_SEC, Encoded, Features, Hypothesis, SearchOptions, WhisperModel
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

T = TypeVar("T")


def frames_for(window: Window) -> int:
    """Return the number of frames for the first pass over a window."""
    wanted = round(window.duration_sec * FRAMES_PER_SEC) + SILENCE_FRAMES
    return next((length for length in LENGTHS if length >= wanted), ALL_FRAMES)


DEFAULT = SearchOptions()


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over a window; `language` is one of Whisper's codes."""

    window: Window
    n_frames: int
    language: str
    options: SearchOptions = DEFAULT

    @property
    def kind(self) -> Hashable:
        """What passes must have in common to share a call of the model."""
        return self.n_frames, self.language, self.options


@dataclass(frozen=True, slots=True)
class Take:
    """The result of one pass over a window. The words keep the space before them."""

    window: Window
    hypothesis: Hypothesis
    words: tuple[Word, ...]
    doubts: frozenset[Doubt]


#: Recognizes a window, or part of it: yields passes, receives their takes, and returns the result.
Passes = Generator[Pass, Take, T]


class Listener:
    """Runs the passes over the windows of one batch. It keeps features and encoder output for later passes."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model
        # By the ID of the window and the number of frames. The window is kept, so that its ID stays its own.
        self._features: dict[tuple[int, int], tuple[Window, Features]] = {}
        self._encoded: dict[tuple[int, int], Encoded] = {}

    def provide(self, window: Window, features: Features) -> None:
        """Use these features, computed before, for a window."""
        self._features[id(window), features.shape[1]] = window, features

    def run_together(self, recognitions: Sequence[Passes[T]]) -> list[T]:
        """Run all of them to their ends and return their results, in order."""
        results: dict[int, T] = {}
        waiting: dict[int, Pass] = {}

        def advance(at: int, take: Take | None) -> None:
            try:
                waiting[at] = recognitions[at].send(take)  # type: ignore[arg-type] # None starts a generator
            except StopIteration as end:
                results[at] = end.value

        for at in range(len(recognitions)):
            advance(at, None)
        while waiting:
            passes, waiting = waiting, {}
            for at, take in self._take_all(passes).items():
                advance(at, take)
        return [results[at] for at in range(len(recognitions))]

    def encode(self, windows: Sequence[Window], n_frames: int) -> Encoded:
        """Return the encoder output of windows with the same number of frames."""
        if self._model.encodes_batches:
            return self._model.encode([self._features_of(window, n_frames) for window in windows])
        return np.concatenate([self._encode_one(window, n_frames) for window in windows])

    def score(
        self, window: Window, language: str, prompt: Sequence[int], texts: Sequence[Sequence[int]]
    ) -> list[NDArray[np.float64]]:
        """Return the probability of each token of texts for a window, see `WhisperModel.score`."""
        n_frames = max(1, round(window.duration_sec * FRAMES_PER_SEC))
        return self._model.score(self.encode([window], frames_for(window)), language, prompt, texts, n_frames)

    def _take_all(self, passes: dict[int, Pass]) -> dict[int, Take]:
        takes: dict[int, Take] = {}
        for kind in dict.fromkeys(each.kind for each in passes.values()):
            positions = [at for at, each in passes.items() if each.kind == kind]
            takes.update(zip(positions, self._listen([passes[at] for at in positions]), strict=True))
        return takes

    def _listen(self, passes: Sequence[Pass]) -> list[Take]:
        """Return the takes of passes of the same kind."""
        windows, one = [each.window for each in passes], passes[0]
        encoded = self.encode(windows, one.n_frames)
        hypotheses = self._model.generate(encoded, one.language, one.options)
        n_frames = [max(1, round(window.duration_sec * FRAMES_PER_SEC)) for window in windows]
        aligned = self._model.align(encoded, one.language, hypotheses, n_frames)
        return [_take(*each) for each in zip(windows, hypotheses, aligned, strict=True)]

    def _encode_one(self, window: Window, n_frames: int) -> Encoded:
        key = id(window), n_frames
        if key not in self._encoded:
            self._encoded[key] = self._model.encode([self._features_of(window, n_frames)])
        return self._encoded[key]

    def _features_of(self, window: Window, n_frames: int) -> Features:
        key = id(window), n_frames
        if key not in self._features:
            self.provide(window, self._model.features(window.samples, n_frames))
        return self._features[key][1]


def _take(window: Window, hypothesis: Hypothesis, aligned: Sequence[Word]) -> Take:
    words = fit_words(aligned, window)
    if hypothesis.text and not words:  # the alignment failed
        words = (Word(hypothesis.text, 0.0, window.duration_sec),)
    return Take(window, hypothesis, words, find_doubts(hypothesis, words, window))
