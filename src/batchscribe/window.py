"""What travels between decoders and engines: a window of audio, and what an engine recognized in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000  #: Hz; all audio behind the decoder has this rate.

Samples = NDArray[np.float32]  #: float32[n_samples], 16 kHz, mono, -1.0 to 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A stretch of one channel that goes to an engine as one input.

    `start_sec` counts from the start of the recording; `samples` is float32[n_samples], 16 kHz. `speech` says where the
    voice detector found speech, in seconds from the start of the window, in order; None where it was not asked.
    """

    channel: int
    start_sec: float
    samples: Samples
    speech: tuple[tuple[float, float], ...] | None = None

    @property
    def duration_sec(self) -> float:
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it is displayed, punctuation included; times in seconds from the start of its window."""

    text: str
    start_sec: float
    end_sec: float
    confidence: float | None = None


class Flag(StrEnum):
    """Why a reader should not rely on a text (extension 11)."""

    LOW_CONFIDENCE = "low_confidence"  #: the engine was not sure of it, whichever way it listened
    LOW_SPEECH = "low_speech"  #: hardly any speech where the text is
    NO_SPEECH = "no_speech"  #: the engine did not take the sound for speech
    REPETITION = "repetition"  #: a phrase that went on and on; what was certainly invented is left out


@dataclass(frozen=True, slots=True)
class Phrase:
    """Text that belongs together; times in seconds from the start of its window. `words` make up the text, in order."""

    text: str
    start_sec: float
    end_sec: float
    words: tuple[Word, ...] = ()
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognition:
    """What an engine recognized in one window.

    `left_out` are the spans whose text was certainly made up and is not in `phrases`. `language` is what the window was
    transcribed in, as a BCP-47 tag without region, where the engine chose it. `detected` holds the likeliest languages
    with their probabilities, likeliest first, where the engine was asked for them.
    """

    phrases: tuple[Phrase, ...] = ()
    left_out: tuple[tuple[float, float], ...] = ()
    language: str | None = None
    detected: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, text: str, words: tuple[Word, ...], duration_sec: float) -> Recognition:
        """One phrase that fills its window; none where there is no text."""
        return cls((Phrase(text, 0.0, duration_sec, words),) if text else ())

    @property
    def text(self) -> str:
        return " ".join(phrase.text for phrase in self.phrases)
