"""The built-in engine: offline, US English, with low accuracy (measured in docs/accuracy.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np

from batchscribe.errors import EngineNotAvailable
from batchscribe.speech.engine import Engine, EngineSpec, RecognitionRequest
from batchscribe.speech.words import tidy_words
from batchscribe.window import Recognition, Samples, Window, Word

FRAME_SEC = 0.01
#: Audio seconds per CPU second, measured on read speech: 2.6 to 4.3.
SPEED = 3.4


@dataclass(frozen=True, slots=True, kw_only=True)
class PocketsphinxSpec(EngineSpec):
    """The specification of the engine, whose model is part of the package."""

    name: str = "pocketsphinx"
    model: str = "en-US"
    languages: tuple[str, ...] = ("en-US",)
    speed: float = SPEED

    def build(self) -> Engine:
        return PocketsphinxEngine()


class PocketsphinxEngine:
    """The engine. It holds the GIL for a whole window and is not thread-safe, so it needs its own process."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self._decoder = Decoder(loglevel="FATAL")

    def transcribe(self, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        return [self._transcribe(request.window) for request in requests]

    def _transcribe(self, window: Window) -> Recognition:
        # An empty utterance makes the decoder unusable, and it recognizes "ah" in digital silence.
        if not window.samples.any():
            return Recognition()
        self._decode(window.samples)
        words = tidy_words(self._words(), window.duration_sec)
        return Recognition.of(" ".join(word.text for word in words), words, window.duration_sec)

    def _decode(self, samples: Samples) -> None:
        """Decode the window as one utterance: normalizing over all of it makes 5 % of the words right."""
        self._decoder.reinit_feat()  # otherwise, the normalization of the last window would affect this one
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(to_int16(samples), full_utt=True)
        finally:
            self._decoder.end_utt()

    def _words(self) -> Iterator[Word]:
        """Yield the words without confidence, because the engine's is always 1.0."""
        if self._decoder.hyp() is None:
            return
        for entry in self._decoder.seg():
            if not entry.word.startswith(("<", "[", "++")):
                text = entry.word.partition("(")[0]  # `been(2)` is a second pronunciation
                yield Word(text, entry.start_frame * FRAME_SEC, (entry.end_frame + 1) * FRAME_SEC)


def to_int16(samples: Samples) -> bytes:
    """Convert to little-endian 16-bit PCM. Exact for audio that was 16-bit; values beyond 1.0 are clipped."""
    scaled = np.clip(np.rint(samples * 32_768.0), -32_768, 32_767)
    pcm: bytes = scaled.astype("<i2").tobytes()
    return pcm


def pocketsphinx_spec(languages: tuple[str, ...] = ("en-US",)) -> PocketsphinxSpec:
    """Return the specification. Raises `EngineNotAvailable` if the package is not installed."""
    if find_spec("pocketsphinx") is None:
        raise EngineNotAvailable(
            "Engine pocketsphinx is not installed; install it with `pip install 'batchscribe[pocketsphinx]'`, "
            "which needs a C compiler and CMake."
        )
    return PocketsphinxSpec(model=f"en-US (pocketsphinx {version('pocketsphinx')})", languages=languages)
