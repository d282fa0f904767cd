"""What travels between the rooms: a segment of audio, and what an engine heard in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000  #: Hz; all audio behind the decoder has this rate.

Samples = NDArray[np.float32]  #: float32[n_samples], 16 kHz, mono, -1.0 to 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A stretch of one channel that goes to an engine whole.

    `start_sec` counts from the start of the recording; `samples` is float32[n_samples], 16 kHz.
    """

    channel: int
    start_sec: float
    samples: Samples

    @property
    def duration_sec(self) -> float:
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its times in seconds from the start of its segment."""

    text: str
    start_sec: float
    end_sec: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Hearing:
    """What an engine heard in one segment: display text, and the words with times."""

    text: str
    words: tuple[Word, ...] = ()
    language: str | None = None  #: BCP-47, where the engine detected it
