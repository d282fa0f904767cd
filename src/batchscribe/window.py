"""The data exchanged with decoders, engines and diarization: windows of audio, recognized text, turns, peaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # commands that only read rows import this module, and do not need NumPy
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000  #: Hz, of all decoded audio
MOST_PEAKS = 2_400  #: of a channel of a waveform; that of a minute or more has at least half of them
FINEST_SAMPLES = SAMPLE_RATE // 50  #: of a peak

Samples: TypeAlias = "NDArray[np.float32]"  #: float32[n_samples], 16 kHz, mono, -1.0 to 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A stretch of one channel that an engine recognizes as one input.

    `start_sec` counts from the start of the recording; `samples` is float32[n_samples], 16 kHz. `speech` lists the
    spans in which the voice detector found speech, in order, in seconds from the start of the window; None if the
    detector was not used.
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
    """One word in display form, with punctuation; times in seconds from the start of its window."""

    text: str
    start_sec: float
    end_sec: float
    confidence: float | None = None


class Flag(StrEnum):
    """Why a text is unreliable (extension 11)."""

    LOW_CONFIDENCE = "low_confidence"  #: the engine was uncertain in every attempt
    LOW_SPEECH = "low_speech"  #: there is hardly any speech where the text is
    NO_SPEECH = "no_speech"  #: the engine considers the sound not to be speech
    REPETITION = "repetition"  #: a phrase was repeated many times; text that was certainly invented is removed


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of text and its words, in order; times in seconds from the start of its window."""

    text: str
    start_sec: float
    end_sec: float
    words: tuple[Word, ...] = ()
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognition:
    """The text that an engine recognized in one window.

    `left_out` lists the spans whose text was certainly invented and is not in `phrases`. `language` is the language of
    the text, as a BCP-47 tag without region, if the engine chose it. `detected` lists the most probable languages with
    their probabilities, in descending order, if the engine was asked to detect the language.
    """

    phrases: tuple[Phrase, ...] = ()
    left_out: tuple[tuple[float, float], ...] = ()
    language: str | None = None
    detected: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, text: str, words: tuple[Word, ...], duration_sec: float) -> Recognition:
        """Return a recognition with one phrase that fills the window, or with none if there is no text."""
        return cls((Phrase(text, 0.0, duration_sec, words),) if text else ())

    @property
    def text(self) -> str:
        return " ".join(phrase.text for phrase in self.phrases)


@dataclass(frozen=True, slots=True)
class SpeakerTurn:
    """A stretch in which one speaker speaks; times in seconds from the start of the recording.

    `speaker` counts from 0, in the order in which the speakers appear. Turns of different speakers may overlap.
    """

    start_sec: float
    end_sec: float
    speaker: int


@dataclass(frozen=True, slots=True)
class Waveform:
    """The loudness of a recording over time: peaks from 0 to 255 (full scale) of each channel.

    Peak `n` covers the `peak_sec` seconds from `n * peak_sec`.
    """

    peak_sec: float
    channels: tuple[bytes, ...]  #: of equal length

    @classmethod
    def of_bytes(cls, peak_sec: float, n_channels: int, peaks: bytes) -> Waveform:
        """The reverse of `as_bytes`."""
        length = len(peaks) // max(1, n_channels)
        return cls(peak_sec, tuple(peaks[at * length : (at + 1) * length] for at in range(n_channels)))

    def as_bytes(self) -> bytes:
        """Return the channels one after the other."""
        return b"".join(self.channels)
