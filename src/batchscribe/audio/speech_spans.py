"""Detection of where speech begins and ends, with Silero v6 from the ONNX copy in faster-whisper.

The rules and numbers are those of `get_speech_timestamps` in faster-whisper 1.2.1 (after snakers4/silero-vad). That
function needs the whole recording; this module works window by window and returns the same spans.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from batchscribe.window import SAMPLE_RATE, Samples

WINDOW_SAMPLES = 512  #: what the network evaluates at once, 32 ms
_CONTEXT_SAMPLES = 64  #: samples of the previous window that the network also gets
_STATE_SAMPLES = 128
_STATE_SHAPE = (1, 1, _STATE_SAMPLES)


class VoiceStream:
    """Speech probabilities of one channel, in order.

    The network's state is kept between calls, so the results are bit-identical to one call over the whole channel.
    """

    def __init__(self) -> None:
        self._hidden = np.zeros(_STATE_SHAPE, dtype=np.float32)
        self._cell = np.zeros(_STATE_SHAPE, dtype=np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, dtype=np.float32)

    def state(self) -> str:
        """Return the state of the network, exactly, as text."""
        joined = np.concatenate((self._hidden.ravel(), self._cell.ravel(), self._context), dtype=np.float32)
        return b64encode(joined.astype("<f4").tobytes()).decode("ascii")

    def restore(self, state: str) -> None:
        """Continue where `state` was taken. Raises `ValueError`."""
        joined = np.frombuffer(b64decode(state, validate=True), dtype="<f4").astype(np.float32)
        hidden, cell, self._context = np.split(joined, (_STATE_SAMPLES, 2 * _STATE_SAMPLES))
        self._hidden, self._cell = hidden.reshape(_STATE_SHAPE), cell.reshape(_STATE_SHAPE)

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """Return float32[n_windows] for float32[n_windows * 512] at 16 kHz."""
        joined = np.concatenate((self._context, samples))
        windows = np.lib.stride_tricks.sliding_window_view(joined, _CONTEXT_SAMPLES + WINDOW_SAMPLES)
        inputs = {"input": windows[::WINDOW_SAMPLES], "h": self._hidden, "c": self._cell}
        speech, self._hidden, self._cell = _session().run(None, inputs)
        self._context = joined[-_CONTEXT_SAMPLES:]
        return np.asarray(speech, dtype=np.float32).reshape(-1)


@cache
def _session() -> onnxruntime.InferenceSession:
    """Create one single-threaded session for all channels, in about 20 ms."""
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # an arena would never release the memory of the largest block
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(_model_path()), sess_options=options, providers=["CPUExecutionProvider"])


def _model_path() -> Path:
    """Find the model without importing faster-whisper, which would load CTranslate2 into the decoder."""
    spec = find_spec("faster_whisper")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("faster-whisper, which carries the voice activity model, is not installed")
    return Path(spec.origin).parent / "assets" / "silero_vad_v6.onnx"


@dataclass(frozen=True, slots=True)
class VoiceOptions:
    """The rules for the start, the end and the splitting of speech.

    Silero's own thresholds, 0.5 and 0.35, miss whole sentences on telephone lines. With them, Whisper `base` lost 68
    instead of 14 of 1,005 words of read speech, and 13.8 instead of 9.4 % of the words in stereo calls were wrong.
    Taking noise for speech costs little: the engine recognizes no words in it. With 0.2 s of padding instead of 0.4 s,
    pocketsphinx makes more errors.
    """

    threshold: float = 0.35  #: a window with at least this probability is speech
    release_threshold: float = 0.2  #: below this it is silence; between the two, the state does not change
    min_speech_sec: float = 0.1  #: shorter speech is a click
    min_silence_sec: float = 0.5  #: shorter silence does not end a stretch
    pad_sec: float = 0.4  #: added on both sides; neighbors share the gap between them
    max_segment_sec: float = 30.0  #: the longest input of an engine
    split_silence_sec: float = 0.098  #: the shortest silence at which speech that is too long is split


class Span(NamedTuple):
    """Samples `start` to `end` of a channel, counted from the start of the recording."""

    start: int
    end: int


class Stretch(NamedTuple):
    """A span to transcribe, and the speech in it: the span without padding and pauses, in order."""

    start: int
    end: int
    speech: tuple[Span, ...]

    @classmethod
    def of(cls, values: Sequence[Any] | None) -> Stretch | None:
        """Return the stretch whose JSON has these values; None if there is none."""
        if values is None:
            return None
        start, end, speech = values
        return cls(start, end, tuple(Span(*span) for span in speech))


class SpeechSpans:
    """A detector of the stretches of speech in one channel, from its probabilities."""

    def __init__(self, options: VoiceOptions) -> None:
        self._cutter = _Cutter(options)
        self._padder = _Padder(round(options.pad_sec * SAMPLE_RATE))

    def accept(self, probabilities: Iterable[float]) -> list[Stretch]:
        """Return the stretches that the next windows complete."""
        padded = [stretch for cut in self._cutter.accept(probabilities) for stretch in self._padder.accept(cut)]
        return padded + self._padder.settle(self._cutter.next_start)

    def finish(self, n_samples: int) -> list[Stretch]:
        """Return the last stretches of a recording of `n_samples`."""
        padded = [stretch for cut in self._cutter.finish(n_samples) for stretch in self._padder.accept(cut)]
        return padded + self._padder.finish(n_samples)

    def state(self) -> list[Any]:
        """Return the state as JSON values."""
        return [self._cutter.state(), self._padder.held]

    def restore(self, state: Sequence[Any]) -> None:
        cutter, held = state
        self._cutter.restore(cutter)
        self._padder.held = Stretch.of(held)

    @property
    def needed_from(self) -> int:
        """The first sample that a later stretch can still contain."""
        return self._padder.next_start(self._cutter.next_start)


class _Cutter:
    """The start and end of speech, before padding."""

    def __init__(self, options: VoiceOptions) -> None:
        self._speech_at = options.threshold
        self._silence_below = options.release_threshold
        self._min_speech = options.min_speech_sec * SAMPLE_RATE
        self._min_silence = options.min_silence_sec * SAMPLE_RATE
        self._split_silence = options.split_silence_sec * SAMPLE_RATE
        longest_sec = options.max_segment_sec - 2 * options.pad_sec
        self._max_speech = longest_sec * SAMPLE_RATE - WINDOW_SAMPLES
        self._position = 0
        self._speech_from: int | None = None
        self._silent_from: int | None = None  #: start of the current silence
        self._split_at: int | None = None  #: the last pause long enough to split at
        self._resume_at: int | None = None  #: where speech resumed after it

    def state(self) -> list[int | None]:
        return [self._position, self._speech_from, self._silent_from, self._split_at, self._resume_at]

    def restore(self, state: Sequence[Any]) -> None:
        self._position, self._speech_from, self._silent_from, self._split_at, self._resume_at = state

    @property
    def next_start(self) -> int:
        """The earliest sample at which a later span can start."""
        return self._position if self._speech_from is None else self._speech_from

    def accept(self, probabilities: Iterable[float]) -> list[Span]:
        spans: list[Span] = []
        for probability in probabilities:
            if self._speech_from is not None:
                spans += self._in_speech(self._speech_from, probability)
            elif probability >= self._speech_at:
                self._speech_from = self._position
            self._position += WINDOW_SAMPLES
        return spans

    def finish(self, n_samples: int) -> list[Span]:
        if self._speech_from is None or n_samples - self._speech_from <= self._min_speech:
            return []
        return [Span(self._speech_from, n_samples)]

    def _in_speech(self, start: int, probability: float) -> list[Span]:
        if probability >= self._speech_at and self._silent_from is not None:
            self._silent_from = None
            if self._split_at is not None and self._resume_at is None:
                self._resume_at = self._position
        if self._position - start > self._max_speech:
            return self._split(start, probability)
        return self._in_silence(start) if probability < self._silence_below else []

    def _split(self, start: int, probability: float) -> list[Span]:
        """End speech that is too long: at the last pause, or here if there is none."""
        pause, resume = self._split_at, self._resume_at
        self._speech_from = resume
        self._forget_silence()
        if pause is None:
            return [Span(start, self._position)]
        rest = self._in_silence(resume) if resume is not None and probability < self._silence_below else []
        return [Span(start, pause), *rest]

    def _in_silence(self, start: int) -> list[Span]:
        if self._silent_from is None:
            self._silent_from = self._position
        silent_from = self._silent_from
        if self._position - silent_from > self._split_silence:
            self._split_at, self._resume_at = silent_from, None
        if self._position - silent_from < self._min_silence:
            return []
        self._speech_from = None
        self._forget_silence()
        return [Span(start, silent_from)] if silent_from - start > self._min_speech else []

    def _forget_silence(self) -> None:
        self._silent_from = self._split_at = self._resume_at = None


class _Padder:
    """Padding on both sides of spans; two that would overlap share the silence between them."""

    def __init__(self, pad: int) -> None:
        self._pad = pad
        self.held: Stretch | None = None  #: its end depends on the next span

    def next_start(self, cutter_start: int) -> int:
        return max(0, cutter_start - self._pad) if self.held is None else self.held.start

    def accept(self, span: Span) -> list[Stretch]:
        held, pad = self.held, self._pad
        if held is not None:
            pad = min(pad, (span.start - held.end) // 2)
        self.held = Stretch(max(0, span.start - pad), span.end, (span,))
        return [] if held is None else [held._replace(end=held.end + pad)]

    def settle(self, cutter_start: int) -> list[Stretch]:
        """Return the held stretch if no later span can be near it."""
        if self.held is None or cutter_start - self.held.end < 2 * self._pad:
            return []
        return self.finish(cutter_start)

    def finish(self, n_samples: int) -> list[Stretch]:
        held, self.held = self.held, None
        return [] if held is None else [held._replace(end=min(n_samples, held.end + self._pad))]
