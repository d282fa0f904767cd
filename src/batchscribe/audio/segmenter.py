"""Segmentation of one channel's samples into windows for an engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from batchscribe.audio.loudness import Loudness, remove_offset
from batchscribe.audio.packing import MAX_PAUSE_SEC, Packer
from batchscribe.audio.speech_spans import WINDOW_SAMPLES, SpeechSpans, Stretch, VoiceOptions, VoiceStream
from batchscribe.window import SAMPLE_RATE, Samples, Window

#: Samples evaluated at once, about five seconds: more would only need more memory. Blocks are counted from the start
#: of the recording, so the windows do not depend on how the bytes arrived.
BLOCK_SAMPLES = 160 * WINDOW_SAMPLES
LONGEST_SEC = 30.0  #: of a window, if the engine names no length
SEARCH_SAMPLES = 5 * SAMPLE_RATE  #: how far back from there a pause is searched
PAUSE_SAMPLES = SAMPLE_RATE // 10
#: After this many blocks of digital silence, half a minute, earlier sound does not affect the voice detector. Further
#: silence is not sent to the network, which is reset for the sound after it. So gaps of hours cost very little.
SILENT_BLOCKS = 6


class Segmenter(Protocol):
    def accept(self, samples: Samples) -> Iterator[Window]:
        """Yield the windows that the next samples, float32[n_samples], complete."""
        ...

    def finish(self) -> Iterator[Window]:
        """Yield the last windows of the recording."""
        ...


class _Buffer:
    """The samples that are still needed, and their start. Samples before `start` are not kept."""

    def __init__(self, start: int = 0) -> None:
        self.start = start
        self._left_out = start  #: samples that are still to come and not needed
        self._samples = np.zeros(0, dtype=np.float32)
        self._parts: list[Samples] = []
        self._length = 0

    @property
    def end(self) -> int:
        return self.start + self._length

    def append(self, samples: Samples) -> None:
        if self._left_out:
            skipped = min(self._left_out, len(samples))
            self._left_out -= skipped
            samples = samples[skipped:]
        if not len(samples):
            return
        self._parts.append(samples)
        self._length += len(samples)

    def slice(self, start: int, end: int) -> Samples:
        if self._parts:
            self._samples = np.concatenate([self._samples, *self._parts])
            self._parts.clear()
        return self._samples[start - self.start : end - self.start]

    def drop_before(self, start: int) -> None:
        if start > self.start:
            self._samples = self.slice(start, self.end).copy()
            self._length = len(self._samples)
            self.start = start


class VoicedSegmenter:
    """A segmenter that keeps what the voice detector takes for speech and drops everything else."""

    def __init__(
        self, channel: int, options: VoiceOptions, window_sec: float, max_pause_sec: float = MAX_PAUSE_SEC
    ) -> None:
        self._channel = channel
        self._loudness = Loudness()
        self._voice = VoiceStream()
        self._spans = SpeechSpans(options)
        self._packer = Packer(window_sec, max_pause_sec)
        self._buffer = _Buffer()
        self.judged = 0  #: samples that the voice detector has evaluated
        self._n_silent = 0  #: consecutive blocks of zeros up to now

    def state(self) -> dict[str, Any]:
        """Return as JSON what the segmenter knows of the samples that it has evaluated."""
        return {
            "judged": self.judged,
            "n_silent": self._n_silent,
            "loudness": self._loudness.state(),
            "voice": self._voice.state(),
            "spans": self._spans.state(),
            "packed": self._packer.held,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where `state` was taken. The samples come from the start again, and are not evaluated again."""
        self.judged, self._n_silent = state["judged"], state["n_silent"]
        self._loudness.restore(state["loudness"])
        self._voice.restore(state["voice"])
        self._spans.restore(state["spans"])
        self._packer.held = Stretch.of(state["packed"])
        self._buffer = _Buffer(self._needed_from())

    def accept(self, samples: Samples) -> Iterator[Window]:
        self._buffer.append(samples)
        while self._buffer.end - self.judged >= BLOCK_SAMPLES:
            block = self._buffer.slice(self.judged, self.judged + BLOCK_SAMPLES)
            stretches = self._judge(block)
            self.judged += BLOCK_SAMPLES
            yield from self._windows([*self._pack(stretches), *self._packer.settle(self._spans.needed_from)])
            self._buffer.drop_before(self._needed_from())

    def finish(self) -> Iterator[Window]:
        n_samples = self._buffer.end
        rest = self._buffer.slice(self.judged, n_samples)
        # If the recording ends on a window's edge, this adds a whole window of zeros, as faster-whisper does.
        padded = np.pad(rest, (0, WINDOW_SAMPLES - len(rest) % WINDOW_SAMPLES))
        stretches = self._judge(padded) + self._spans.finish(n_samples)
        yield from self._windows([*self._pack(stretches), *self._packer.finish()])

    def _needed_from(self) -> int:
        """Return the first sample that a later window can contain, or that is not evaluated yet."""
        return min(self._packer.needed_from(self._spans.needed_from), self.judged)

    def _judge(self, block: Samples) -> list[Stretch]:
        return self._spans.accept(self._probabilities(block))

    def _probabilities(self, block: Samples) -> list[float]:
        if block.any():
            self._n_silent = 0
        elif self._n_silent < SILENT_BLOCKS:
            self._n_silent += 1
        else:
            self._voice = VoiceStream()
            return [0.0] * (len(block) // WINDOW_SAMPLES)
        probabilities: list[float] = self._voice.probabilities(self._loudness.amplify(block)).tolist()
        return probabilities

    def _pack(self, stretches: list[Stretch]) -> list[Stretch]:
        return [window for stretch in stretches for window in self._packer.accept(stretch)]

    def _windows(self, stretches: list[Stretch]) -> Iterator[Window]:
        for start, end, speech in stretches:
            inside = tuple(((from_ - start) / SAMPLE_RATE, (to - start) / SAMPLE_RATE) for from_, to in speech)
            yield Window(self._channel, start / SAMPLE_RATE, remove_offset(self._buffer.slice(start, end)), inside)


class WholeSegmenter:
    """A segmenter that drops only digital silence. Each piece is cut where its end is quietest."""

    def __init__(self, channel: int, longest_sec: float = LONGEST_SEC) -> None:
        self._channel = channel
        self._longest = round(longest_sec * SAMPLE_RATE)
        self._buffer = _Buffer()

    def accept(self, samples: Samples) -> Iterator[Window]:
        self._buffer.append(samples)
        while self._buffer.end - self._buffer.start > self._longest:
            start = self._buffer.start
            yield from self._piece(start + _quietest_cut(self._buffer.slice(start, start + self._longest)))

    def finish(self) -> Iterator[Window]:
        if self._buffer.end > self._buffer.start:
            yield from self._piece(self._buffer.end)

    def _piece(self, end: int) -> Iterator[Window]:
        start = self._buffer.start
        samples = remove_offset(self._buffer.slice(start, end))
        self._buffer.drop_before(end)
        if samples.any():
            yield Window(self._channel, start / SAMPLE_RATE, samples)


def _quietest_cut(samples: Samples) -> int:
    """Return the middle of the quietest tenth of a second in the last five seconds."""
    searched = samples[-SEARCH_SAMPLES:].reshape(-1, PAUSE_SAMPLES)
    quietest_from_end = int(np.argmin(np.square(searched).sum(axis=1)[::-1]))  # if equal, the last: longer pieces
    return len(samples) - quietest_from_end * PAUSE_SAMPLES - PAUSE_SAMPLES // 2


def segmenter(channel: int, segmentation: str, window_sec: float, max_pause_sec: float = MAX_PAUSE_SEC) -> Segmenter:
    """Create a segmenter. `segmentation` is `auto` or `none`.

    For `window_sec` see `EngineSpec`; for `max_pause_sec` see `Packer`.
    """
    longest_sec = window_sec or LONGEST_SEC
    if segmentation == "none":
        return WholeSegmenter(channel, longest_sec)
    return VoicedSegmenter(channel, VoiceOptions(max_segment_sec=longest_sec), window_sec, max_pause_sec)
