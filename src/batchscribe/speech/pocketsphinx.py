"""The built-in engine: offline, US English, with low accuracy (measured in docs/accuracy.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec

from batchscribe.settings import Settings
from batchscribe.speech.engine import Engine, EngineSpec, RecognitionRequest
from batchscribe.speech.engine_record import PULL, EngineRecord
from batchscribe.speech.words import tidy_words
from batchscribe.window import Recognition, Samples, Window, Word

NAME = "pocketsphinx"
FRAME_SEC = 0.01
#: Audio seconds per CPU second, measured on read speech: 2.6 to 4.3.
SPEED = 3.4
#: From docs/accuracy.md, rounded.
LOW_ACCURACY = (
    "The built-in engine pocketsphinx has low accuracy: about 40 % of words are wrong on clean read speech, "
    "about 85 % on telephone calls."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PocketsphinxSpec(EngineSpec):
    """The specification of the engine, whose model is part of the package."""

    name: str = NAME
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
        """Yield the words. Their confidence is the posterior probability in the lattice of the window."""
        if self._decoder.hyp() is None:
            return
        for entry in self._decoder.seg():
            if not entry.word.startswith(("<", "[", "++")):
                text = entry.word.partition("(")[0]  # `been(2)` is a second pronunciation
                confidence = min(1.0, max(0.0, float(entry.prob)))  # not a logarithm
                yield Word(text, entry.start_frame * FRAME_SEC, (entry.end_frame + 1) * FRAME_SEC, confidence)


def to_int16(samples: Samples) -> bytes:
    """Convert to little-endian 16-bit PCM. Exact for audio that was 16-bit; values beyond 1.0 are clipped."""
    import numpy as np

    scaled = np.clip(np.rint(samples * 32_768.0), -32_768, 32_767)
    pcm: bytes = scaled.astype("<i2").tobytes()
    return pcm


def find_pocketsphinx(_settings: Settings) -> list[EngineSpec]:
    """Return the model of the installed package, for American English."""
    return [PocketsphinxSpec(model=f"en-US (pocketsphinx {version(NAME)})")] if find_spec(NAME) else []


def find_for_any_english(settings: Settings) -> list[EngineSpec]:
    """Return the same model for any English, which it recognizes as American English."""
    return [replace(spec, languages=("en",)) for spec in find_pocketsphinx(settings)]


def warn_of_accuracy(language: str, is_named: bool) -> tuple[str, ...]:
    better = f"Get a better engine with {PULL}" + (", and use the engine whisper." if is_named else ".")
    accent = () if language == "en-US" else (f"The engine pocketsphinx treats {language} as American English.",)
    return (f"{LOW_ACCURACY} {better}", *accent)


POCKETSPHINX = EngineRecord(
    name=NAME,
    rank=30,
    find_models=find_pocketsphinx,
    find_named=find_for_any_english,
    advice="install it with `pip install 'batchscribe[pocketsphinx]'`, which needs a C compiler and CMake",
    warn=warn_of_accuracy,
)
