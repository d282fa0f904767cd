"""Conversion of decoded frames to 16 kHz channels, separate or mixed, and comparison of separate channels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from batchscribe.audio.loudness import Overload
from batchscribe.window import SAMPLE_RATE

#: Share of a channel's energy that may differ in a copy of it. A codec changes copies of one sound by that much.
_UNEXPLAINED = 0.02
_AUDIBLE = 1e-8  #: mean square, -80 dB


class SameSound:
    """A comparison of the channels of one recording, block by block."""

    def __init__(self) -> None:
        self._gram: NDArray[np.float64] | None = None  #: energies of the channels, and the energies that they share
        self._n_samples = 0

    def add(self, block: Channels) -> None:
        centered = (block - block.mean(axis=1, keepdims=True)).astype(np.float64)
        gram = centered @ centered.T
        self._gram = gram if self._gram is None else self._gram + gram
        self._n_samples += block.shape[1]

    @property
    def repeated(self) -> int:
        """The number of channels that carry the same sound as an earlier one."""
        if self._gram is None:
            return 0
        energies = np.diagonal(self._gram)
        limit = (1.0 - _UNEXPLAINED) * np.outer(energies, energies)
        is_audible = energies > _AUDIBLE * self._n_samples
        is_same = (np.square(self._gram) >= limit) & np.outer(is_audible, is_audible)
        return int(np.triu(is_same, k=1).any(axis=0).sum())


#: float32[n_channels, n_samples], 16 kHz
Channels = NDArray[np.float32]

BLOCK_SAMPLES = 16_384  #: about a second; resampling every small frame separately costs a third more
#: libswresample can mix the layouts of up to this many loudspeakers.
_MIXABLE_CHANNELS = 8


class Resampling:
    """A resampler for one track; the rate, format and layout of its frames may change."""

    def __init__(self, *, apart: bool, level: float = 1.0) -> None:
        """Divide all samples by `level`."""
        self._apart = apart
        self._level = np.float32(level)
        self.overload = Overload()
        self.other_channels = 0  #: of a later frame, if its number differs from the first frame's; only if kept apart
        self._resampler: AudioResampler | None = None
        self._accepted: tuple[str, str, int] | None = None
        self._layout: AudioLayout | None = None  #: of the output: that of the first frame, or mono

    def n_channels(self, frame: AudioFrame) -> int:
        """Return the number of output channels for this frame."""
        return self._layout_for(frame).nb_channels if self._apart else 1

    def accept(self, frame: AudioFrame) -> Iterator[Channels]:
        """Yield what is ready after this frame. Raises `av.FFmpegError` if libswresample cannot convert it."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._accepted:
            yield from self.finish()
            self._accepted, self._resampler = shape, self._resampler_for(frame)
        yield from self._resample(frame)

    def finish(self) -> Iterator[Channels]:
        """Yield what the filter still holds. The next frame starts a new filter."""
        yield from self._resample(None)
        self._resampler = self._accepted = None

    def _layout_for(self, frame: AudioFrame) -> AudioLayout:
        if self._layout is None:
            self._layout = AudioLayout("mono") if not self._apart and _is_mixable(frame.layout) else frame.layout
        return self._layout

    def _resampler_for(self, frame: AudioFrame) -> AudioResampler:
        n_channels = frame.layout.nb_channels
        if self._apart and n_channels != self._layout_for(frame).nb_channels:
            self.other_channels = n_channels
        # Packed samples ("flt"): PyAV 18 reads beyond the array of planes if there are eight or more channels.
        # Without rematrix_maxval, a mix of floats is louder than its parts and clips.
        return AudioResampler(
            "flt", self._layout_for(frame), SAMPLE_RATE, frame_size=BLOCK_SAMPLES, options={"rematrix_maxval": "1.0"}
        )

    def _resample(self, frame: AudioFrame | None) -> Iterator[Channels]:
        if self._resampler is None or self._layout is None:
            return
        for block in self._resampler.resample(frame):
            samples = np.asarray(block.to_ndarray(), dtype=np.float32).reshape(-1, self._layout.nb_channels).T
            finite = _finite(samples if self._level == 1.0 else samples / self._level)
            channels = np.clip(self.overload.attenuate(finite), -1.0, 1.0)
            yield channels if self._apart or len(channels) == 1 else channels.mean(axis=0, keepdims=True)


def _is_mixable(layout: AudioLayout) -> bool:
    """Return whether there is a rule to mix this layout.

    More than two channels without a layout are separate microphones, which can only be averaged.
    """
    n_channels = layout.nb_channels
    return n_channels <= 2 or (n_channels <= _MIXABLE_CHANNELS and not layout.name.endswith("channels"))


def _finite(samples: Channels) -> Channels:
    """Replace non-finite floats: one NaN would disable the voice detector for the rest of the recording."""
    clean = np.ascontiguousarray(samples)
    if not np.isfinite(clean).all():
        clean = np.nan_to_num(clean, nan=0.0, posinf=1.0, neginf=-1.0)
    return clean
