"""Speech probabilities become spans of speech: where a segment begins and ends.

The rules and numbers are those of `get_speech_timestamps` in faster-whisper 1.2.1 (after snakers4/silero-vad), which
wants the whole recording at once; here they run window by window and give the same spans.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from batchscribe.audio.voice import WINDOW_SAMPLES
from batchscribe.segment import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class VoiceOptions:
    """When speech begins, ends and is cut. With these pocketsphinx makes no more errors than on whole
    files: WER 50.3 : 50.7 on 74 recordings; with 0.2 s of padding it was 51.0."""

    threshold: float = 0.5  #: a window at least this likely is speech
    release_threshold: float = 0.35  #: below this it is silence; between the two nothing changes
    min_speech_sec: float = 0.1  #: shorter speech is a click
    min_silence_sec: float = 0.5  #: shorter silence does not end a segment
    pad_sec: float = 0.4  #: kept on both sides; neighbours share what lies between them
    max_segment_sec: float = 30.0  #: what engines take at once
    split_silence_sec: float = 0.098  #: silence good enough to split speech that gets too long
    merge_gap_sec: float = 0.0  #: neighbours this close are joined up to the longest segment; 0 never joins


class Span(NamedTuple):
    """Samples `start` to `end` of a channel, counted from the start of the recording."""

    start: int
    end: int


class SpeechSpans:
    """Spans of one channel from its probabilities, in order."""

    def __init__(self, options: VoiceOptions) -> None:
        self._cutter = _Cutter(options)
        self._padder = _Padder(round(options.pad_sec * SAMPLE_RATE))
        self._joiner = _Joiner(round(options.merge_gap_sec * SAMPLE_RATE), round(options.max_segment_sec * SAMPLE_RATE))

    def accept(self, probabilities: Iterable[float]) -> list[Span]:
        """The spans that the next windows settle."""
        padded = [span for cut in self._cutter.accept(probabilities) for span in self._padder.accept(cut)]
        padded += self._padder.settle(self._cutter.next_start)
        joined = [span for pad in padded for span in self._joiner.accept(pad)]
        return joined + self._joiner.settle(self._padder.next_start(self._cutter.next_start))

    def finish(self, n_samples: int) -> list[Span]:
        """The last spans of a recording of `n_samples`."""
        padded = [span for cut in self._cutter.finish(n_samples) for span in self._padder.accept(cut)]
        padded += self._padder.finish(n_samples)
        return [span for pad in padded for span in self._joiner.accept(pad)] + self._joiner.finish()

    @property
    def needed_from(self) -> int:
        """The first sample that a span to come can still contain."""
        return self._joiner.next_start(self._padder.next_start(self._cutter.next_start))


class _Cutter:
    """Where speech starts and ends, before padding."""

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
        self._silent_from: int | None = None  #: where the silence that we are in began
        self._split_at: int | None = None  #: the last pause long enough to split at
        self._resume_at: int | None = None  #: where speech went on after it

    @property
    def next_start(self) -> int:
        """No span to come starts before this sample."""
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
        """Speech got too long: end it at the last pause, or right here when there was none."""
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
    """Widens spans on both sides; two that would overlap share the silence between them."""

    def __init__(self, pad: int) -> None:
        self._pad = pad
        self._held: Span | None = None  #: its end waits for the next span

    def next_start(self, cutter_start: int) -> int:
        return max(0, cutter_start - self._pad) if self._held is None else self._held.start

    def accept(self, span: Span) -> list[Span]:
        held, pad = self._held, self._pad
        if held is not None:
            pad = min(pad, (span.start - held.end) // 2)
        self._held = Span(max(0, span.start - pad), span.end)
        return [] if held is None else [Span(held.start, held.end + pad)]

    def settle(self, cutter_start: int) -> list[Span]:
        """Let go of the held span once no span to come can be near."""
        if self._held is None or cutter_start - self._held.end < 2 * self._pad:
            return []
        return self.finish(cutter_start)

    def finish(self, n_samples: int) -> list[Span]:
        held, self._held = self._held, None
        return [] if held is None else [Span(held.start, min(n_samples, held.end + self._pad))]


class _Joiner:
    """Joins neighbours that are close, while the whole stays short enough."""

    def __init__(self, gap: int, longest: int) -> None:
        self._gap = gap
        self._longest = longest
        self._held: Span | None = None

    def next_start(self, padder_start: int) -> int:
        return padder_start if self._held is None else self._held.start

    def accept(self, span: Span) -> list[Span]:
        if self._gap == 0:
            return [span]
        held = self._held
        if held and span.start - held.end <= self._gap and span.end - held.start <= self._longest:
            self._held = Span(held.start, span.end)
            return []
        self._held = span
        return [] if held is None else [held]

    def settle(self, padder_start: int) -> list[Span]:
        if self._held is None or padder_start - self._held.end <= self._gap:
            return []
        return self.finish()

    def finish(self) -> list[Span]:
        held, self._held = self._held, None
        return [] if held is None else [held]
