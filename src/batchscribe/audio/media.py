"""The facts of a decoded recording."""

from __future__ import annotations

from dataclasses import dataclass

from batchscribe.audio.findings import Remark
from batchscribe.window import Waveform


@dataclass(frozen=True, slots=True)
class Media:
    """Facts of one recording, known once it is decoded.

    `channels` and `sample_rate` (Hz) are those of its audio track. The waveform has one channel if they were mixed.
    """

    duration_sec: float
    channels: int
    container: str
    codec: str
    sample_rate: int
    remarks: tuple[Remark, ...]
    waveform: Waveform | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the reader of the transcript."""
        return tuple(remark.sentence for remark in self.remarks)

    def as_json(self) -> dict[str, object]:
        """Return what a decoder sends, without the waveform; `decoder_replies` reads it."""
        return {
            "duration_sec": self.duration_sec,
            "channels": self.channels,
            "container": self.container,
            "codec": self.codec,
            "sample_rate": self.sample_rate,
            "remarks": [remark.as_json() for remark in self.remarks],
        }
