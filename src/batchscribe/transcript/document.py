"""One recording's transcript: the document of contract 4, and where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from batchscribe.transcript.lexical import lexical
from batchscribe.transcript.segments import RecognizedWindow, TranscriptSegment, milliseconds, transcript_segments
from batchscribe.wire.config import Config

__all__ = ["Metadata", "RecognizedWindow", "Transcript", "assemble"]

SIDES = ("Speaker 1L", "Speaker 1R")  # how the original names the two channels of a call, contract 4


@dataclass(frozen=True, slots=True)
class Metadata:
    """Which engine made the transcript, and from which bytes. It holds no date: the same input gives the same bytes."""

    engine: str
    revision: str | None  #: of the model
    input_uri: str  #: without the query of a URL, which may be a signature
    input_etag: str | None
    input_size_bytes: int
    languages: Mapping[str, float] = field(default_factory=dict)  #: detected ones, with their seconds of speech
    warnings: tuple[str, ...] = ()  #: sentences for the reader of the transcript


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the renderings are made from. `channels` is how many were transcribed each by itself."""

    request_id: str
    duration_sec: float
    model: str
    channels: int
    segments: tuple[TranscriptSegment, ...]
    config: Config
    metadata: Metadata

    @property
    def text_display(self) -> str:
        return " ".join(segment.text for segment in self.segments)

    @property
    def text_lexical(self) -> str:
        return lexical(self.text_display)

    def speaker(self, segment: TranscriptSegment) -> str | None:
        """The side of a two-channel call; nobody can be told apart in any other recording."""
        if self.config.channel_separation and self.channels == len(SIDES):
            return SIDES[segment.channel]
        return None


def assemble(
    recognized: Iterable[RecognizedWindow],
    *,
    duration_sec: float,
    channels: int,
    model: str,
    request_id: str,
    config: Config,
    metadata: Metadata,
) -> Transcript:
    """The transcript of a recording of `duration_sec` seconds with `channels` channels.

    `recognized` may come in any order; the same set gives the same transcript.
    """
    return Transcript(
        request_id=request_id,
        duration_sec=milliseconds(duration_sec),
        model=model,
        channels=channels,
        segments=transcript_segments(recognized, milliseconds(duration_sec)),
        config=config,
        metadata=metadata,
    )
