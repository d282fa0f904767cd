"""Convert decoded frames to channels of 16 kHz samples, separate or mixed, and compare separate channels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from batchscribe.audio.loudness import Overload
from batchscribe.window import SAMPLE_RATE

#: Share of a channel's energy that another one may leave unexplained. A codec adds that much to copies of one sound.
_UNEXPLAINED = 0.02
_AUDIBLE = 1e-8  #: mean square, -80 dB


class SameSound:
    """Compares the channels of one recording, block by block."""

    def __init__(self) -> None:
        self._gram: NDArray[np.float64] | None = None  #: energies of channels, and of what they share
        self._n_samples = 0

    def add(self, block: Channels) -> None:
        centered = (block - block.mean(axis=1, keepdims=True)).astype(np.float64)
        gram = centered @ centered.T
        self._gram = gram if self._gram is None else self._gram + gram
        self._n_samples += block.shape[1]

    @property
    def repeated(self) -> int:
        """How many channels carry what an earlier one carries."""
        if self._gram is None:
            return 0
        energies = np.diagonal(self._gram)
        limit = (1.0 - _UNEXPLAINED) * np.outer(energies, energies)
        is_audible = energies > _AUDIBLE * self._n_samples
        is_same = (np.square(self._gram) >= limit) & np.outer(is_audible, is_audible)
        return int(np.triu(is_same, k=1).any(axis=0).sum())


#: float32[n_channels, n_samples], 16 kHz
Channels = NDArray[np.float32]

BLOCK_SAMPLES = 16_384  #: about a second; asking for every small frame by itself costs a third more
#: libswresample knows how to mix the layouts of up to so many loudspeakers.
_MIXABLE_CHANNELS = 8


class Resampling:
    """Resamples one track, whatever its frames turn into on the way: rate, format and layout may change."""

    def __init__(self, *, apart: bool, level: float = 1.0) -> None:
        """`level` is what the samples are divided by."""
        self._apart = apart
        self._level = np.float32(level)
        self.overload = Overload()
        self.other_channels = 0  #: of a later frame, if channels are kept apart and the first frame had another number
        self._resampler: AudioResampler | None = None
        self._accepted: tuple[str, str, int] | None = None
        self._layout: AudioLayout | None = None  #: of what comes out; that of the first frame, or mono

    def n_channels(self, frame: AudioFrame) -> int:
        """How many come out of this frame."""
        return self._layout_for(frame).nb_channels if self._apart else 1

    def accept(self, frame: AudioFrame) -> Iterator[Channels]:
        """What is ready after this frame. Raises `av.FFmpegError` where libswresample cannot convert it."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._accepted:
            yield from self.finish()
            self._accepted, self._resampler = shape, self._resampler_for(frame)
        yield from self._resampled(frame)

    def finish(self) -> Iterator[Channels]:
        """What the filter still holds. The next frame starts it anew."""
        yield from self._resampled(None)
        self._resampler = self._accepted = None

    def _layout_for(self, frame: AudioFrame) -> AudioLayout:
        if self._layout is None:
            self._layout = AudioLayout("mono") if not self._apart and _is_mixable(frame.layout) else frame.layout
        return self._layout

    def _resampler_for(self, frame: AudioFrame) -> AudioResampler:
        n_channels = frame.layout.nb_channels
        if self._apart and n_channels != self._layout_for(frame).nb_channels:
            self.other_channels = n_channels
        # Packed samples ("flt"): reading the planes of eight or more channels runs past their array in PyAV 18.
        # Without rematrix_maxval a mix of floats is louder than its parts, and clips.
        return AudioResampler(
            "flt", self._layout_for(frame), SAMPLE_RATE, frame_size=BLOCK_SAMPLES, options={"rematrix_maxval": "1.0"}
        )

    def _resampled(self, frame: AudioFrame | None) -> Iterator[Channels]:
        if self._resampler is None or self._layout is None:
            return
        for block in self._resampler.resample(frame):
            samples = np.asarray(block.to_ndarray(), dtype=np.float32).reshape(-1, self._layout.nb_channels).T
            finite = _finite(samples if self._level == 1.0 else samples / self._level)
            channels = np.clip(self.overload.turned_down(finite), -1.0, 1.0)
            yield channels if self._apart or len(channels) == 1 else channels.mean(axis=0, keepdims=True)


def _is_mixable(layout: AudioLayout) -> bool:
    """Several channels without a layout are separate microphones: there is no rule but to average them."""
    n_channels = layout.nb_channels
    return n_channels <= 2 or (n_channels <= _MIXABLE_CHANNELS and not layout.name.endswith("channels"))


def _finite(samples: Channels) -> Channels:
    """Float formats may hold anything; one NaN would deafen the voice detector for the rest of the recording."""
    clean = np.ascontiguousarray(samples)
    if not np.isfinite(clean).all():
        clean = np.nan_to_num(clean, nan=0.0, posinf=1.0, neginf=-1.0)
    return clean
