"""The facts of a decoded recording."""

from __future__ import annotations

from dataclasses import dataclass

from batchscribe.audio.findings import Remark


@dataclass(frozen=True, slots=True)
class Media:
    """Facts of one recording, known once it is decoded.

    `channels` and `sample_rate` (Hz) are those of its audio track.
    """

    duration_sec: float
    channels: int
    container: str
    codec: str
    sample_rate: int
    remarks: tuple[Remark, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the reader of the transcript."""
        return tuple(remark.sentence for remark in self.remarks)

    def as_json(self) -> dict[str, object]:
        """Return the message that a decoder sends; `decoder_replies` reads it."""
        return {
            "duration_sec": self.duration_sec,
            "channels": self.channels,
            "container": self.container,
            "codec": self.codec,
            "sample_rate": self.sample_rate,
            "remarks": [remark.as_json() for remark in self.remarks],
        }
