"""The loudness of a recording over time, as a plot shows it: the largest sample of each short stretch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waveform:
    """Peaks from 0 to 255 (full scale) of each channel. Peak `n` covers the `peak_sec` seconds from `n * peak_sec`."""

    peak_sec: float
    channels: tuple[bytes, ...]  #: of equal length

    @classmethod
    def of_bytes(cls, peak_sec: float, n_channels: int, peaks: bytes) -> Waveform:
        """The reverse of `as_bytes`."""
        length = len(peaks) // max(1, n_channels)
        return cls(peak_sec, tuple(peaks[at * length : (at + 1) * length] for at in range(n_channels)))

    def as_bytes(self) -> bytes:
        """Return the channels one after the other."""
        return b"".join(self.channels)
