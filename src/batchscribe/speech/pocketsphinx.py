"""The built-in engine: offline, US English, of low accuracy (measured in docs/accuracy.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np

from batchscribe.errors import EngineNotAvailable
from batchscribe.speech.engine import Engine, EngineSpec, Request
from batchscribe.speech.words import tidy_words
from batchscribe.window import Recognition, Samples, Window, Word

FRAME_SEC = 0.01
#: Audio seconds per CPU second, measured on read speech: 2.6 to 4.3.
SPEED = 3.4


@dataclass(frozen=True, slots=True, kw_only=True)
class PocketsphinxSpec(EngineSpec):
    """Its model comes inside the package."""

    name: str = "pocketsphinx"
    model: str = "en-US"
    languages: tuple[str, ...] = ("en-US",)
    speed: float = SPEED

    def build(self) -> Engine:
        return PocketsphinxEngine()


class PocketsphinxEngine:
    """Holds the GIL for a whole window, and is not thread-safe: it belongs in a process of its own."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self._decoder = Decoder(loglevel="FATAL")

    def transcribe(self, requests: Sequence[Request]) -> list[Recognition]:
        return [self._transcribe(request.window) for request in requests]

    def _transcribe(self, window: Window) -> Recognition:
        # An utterance without samples leaves the decoder wedged, and in digital silence it hears "ah".
        if not window.samples.any():
            return Recognition()
        self._decode(window.samples)
        words = tidy_words(self._words(), window.duration_sec)
        return Recognition.of(" ".join(word.text for word in words), words, window.duration_sec)

    def _decode(self, samples: Samples) -> None:
        """The whole window as one utterance: normalised over all of it, which is worth 5 % of the words."""
        self._decoder.reinit_feat()  # or the normalisation of the window before would change this one
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(to_int16(samples), full_utt=True)
        finally:
            self._decoder.end_utt()

    def _words(self) -> Iterator[Word]:
        """No confidence: the engine's is always 1.0."""
        if self._decoder.hyp() is None:
            return
        for entry in self._decoder.seg():
            if not entry.word.startswith(("<", "[", "++")):
                text = entry.word.partition("(")[0]  # `been(2)` is a second pronunciation
                yield Word(text, entry.start_frame * FRAME_SEC, (entry.end_frame + 1) * FRAME_SEC)


def to_int16(samples: Samples) -> bytes:
    """Little-endian 16-bit PCM; exact for audio that was 16-bit before, and clipped, never wrapped, beyond 1.0."""
    scaled = np.clip(np.rint(samples * 32_768.0), -32_768, 32_767)
    pcm: bytes = scaled.astype("<i2").tobytes()
    return pcm


def pocketsphinx_spec(languages: tuple[str, ...] = ("en-US",)) -> PocketsphinxSpec:
    """Raises `EngineNotAvailable` when the package is not installed."""
    if find_spec("pocketsphinx") is None:
        raise EngineNotAvailable(
            "Engine pocketsphinx is not installed: `pip install 'batchscribe[pocketsphinx]'` builds it, "
            "which needs a C compiler and CMake."
        )
    return PocketsphinxSpec(model=f"en-US (pocketsphinx {version('pocketsphinx')})", languages=languages)
