"""Channels that cancel each other out: a microphone wired with reversed polarity makes their mix silent."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from av.audio.frame import AudioFrame
from numpy.fft import rfft  # NumPy would load it on first use, when a confined decoder cannot open files
from numpy.typing import NDArray

from batchscribe.audio.decode_limits import MAX_CHANNELS

#: Channels cancel out if the energy of their sum is below this share of the sum of their energies. The share is 1 for
#: unrelated channels, at least 0.6 for two people who speak at once, 0.007 for opposite channels that differ by 1 dB,
#: and 0.3 for speech in opposite channels that are 0.25 ms apart.
_CANCELED_SHARE = 0.4
_RESTORED_SHARE = 0.6  #: the share from which the mix is used again
#: Only this band is compared. Hum in all channels does not cancel out, and must not hide speech that does.
_SPEECH_HZ = (250.0, 4000.0)
#: Another channel is selected only if it has this many times the energy: a change to a channel of opposite sign is an
#: audible click.
_MUCH_LOUDER = 2.0
_AUDIBLE = 1e-8  #: mean square of a channel, -80 dB: below this, no decision is made
STRETCH_SEC = 0.5  #: length of sound for one decision
_LOOK_SEC = 0.1  #: one frame is examined per this time
_MAX_HELD = 512  #: frames, even if they are very short
#: PyAV 18 reads beyond the planes of frames with eight or more channels; packed frames have a single plane.
_MAX_PLANES = 7
_FULL_SCALE = {"u1": 128.0, "i2": 2.0**15, "i4": 2.0**31}
_WRITABLE = frozenset({"u8", "u8p", "s16", "s16p", "s32", "s32p", "flt", "fltp", "dbl", "dblp"})


class Cancellation:
    """A filter that replaces all channels of a track by the loudest one while they cancel each other out."""

    def __init__(self) -> None:
        self._held: list[AudioFrame] = []
        self._held_sec = 0.0
        self._look_in_sec = 0.0
        self._gram: NDArray[np.float64] | None = None  #: energies of the channels, and the energies that they share
        self._n_looked = 0
        self._only: int | None = None  #: the selected channel; None while the mix is used
        self.duration_sec = 0.0  #: total duration with one channel only

    def accept(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """Take a frame, and yield the frames whose stretch is complete."""
        if not _is_comparable(frame):
            yield from self.finish()
            yield frame
            return
        if self._gram is not None and len(self._gram) != frame.layout.nb_channels:
            yield from self.finish()
        self._look(frame)
        self._held.append(frame)
        self._held_sec += frame.samples / frame.sample_rate
        if self._held_sec >= STRETCH_SEC or len(self._held) >= _MAX_HELD:
            yield from self.finish()

    def finish(self) -> Iterator[AudioFrame]:
        held, self._held = self._held, []
        self._decide()
        if self._only is not None:
            self.duration_sec += self._held_sec
        self._held_sec = 0.0
        for frame in held:
            yield frame if self._only is None else _only_channel(frame, self._only)

    def _look(self, frame: AudioFrame) -> None:
        self._look_in_sec -= frame.samples / frame.sample_rate
        if self._look_in_sec > 0.0 and self._gram is not None:
            return
        self._look_in_sec = _LOOK_SEC
        gram = _shared_energies(_channels(frame), frame.sample_rate)
        self._gram = gram if self._gram is None else self._gram + gram
        self._n_looked += frame.samples

    def _decide(self) -> None:
        """Select the mix or one channel. If a stretch is too quiet, the previous selection stays."""
        gram, self._gram = self._gram, None
        n_looked, self._n_looked = self._n_looked, 0
        if gram is None or not np.isfinite(gram).all():
            return
        energies = np.diagonal(gram)
        if energies.max() <= _AUDIBLE * n_looked:
            return
        least_share = _CANCELED_SHARE if self._only is None else _RESTORED_SHARE
        if gram.sum() >= least_share * energies.sum():
            self._only = None
        elif self._only is None or energies.max() > _MUCH_LOUDER * energies[self._only]:
            self._only = int(energies.argmax())


def _is_comparable(frame: AudioFrame) -> bool:
    n_channels = frame.layout.nb_channels
    most = _MAX_PLANES if frame.format.is_planar else MAX_CHANNELS
    return 2 <= n_channels <= most and frame.format.name in _WRITABLE


def _shared_energies(channels: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return float64[n_channels, n_channels]: sums of products of samples, in the speech band only."""
    n_samples = channels.shape[1]
    window = np.hanning(n_samples)
    lowest, highest = (math.ceil(hz * n_samples / sample_rate) for hz in _SPEECH_HZ)
    spectrum = rfft(channels * window)[:, lowest : highest + 1]
    gram: NDArray[np.float64] = (spectrum @ spectrum.conj().T).real * 2.0 / max(1.0, np.square(window).sum())
    return gram


def _channels(frame: AudioFrame) -> NDArray[np.float64]:
    """Return float64[n_channels, n_samples]; full scale is 1.0."""
    samples = frame.to_ndarray()
    rows = samples if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels).T
    scaled: NDArray[np.float64] = rows.astype(np.float64) / _FULL_SCALE.get(samples.dtype.str[1:], 1.0)
    return scaled


def _only_channel(frame: AudioFrame, channel: int) -> AudioFrame:
    """Return a copy of the frame with one of its channels in place of all."""
    samples = frame.to_ndarray()
    if frame.format.is_planar:
        copied = np.repeat(samples[channel : channel + 1], len(samples), axis=0)
    else:
        n_channels = frame.layout.nb_channels
        copied = np.repeat(samples.reshape(-1, n_channels)[:, channel], n_channels).reshape(1, -1)
    made = AudioFrame.from_ndarray(np.ascontiguousarray(copied), format=frame.format.name, layout=frame.layout.name)
    made.sample_rate, made.pts, made.time_base = frame.sample_rate, frame.pts, frame.time_base
    made.duration = frame.duration
    return made
