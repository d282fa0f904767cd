"""The transcript of one recording: the document of contract 4 with its metadata and its lexical text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from batchscribe.transcript.aliases import AliasRewriter
from batchscribe.transcript.profanity import ProfanityFilter
from batchscribe.transcript.segments import (
    RecognizedWindow,
    Rewriter,
    TranscriptSegment,
    milliseconds,
    transcript_segments,
)
from batchscribe.transcript.speaker_numbers import measure_speakers, number_speakers, renumber
from batchscribe.window import SpeakerTurn, Waveform
from batchscribe.wire.config import Config
from batchscribe.wire.vocabulary import APOSTROPHES

_MASKS = re.compile(r"(?<=\w)\*+")
_PRIVATE = "\ue000"  #: a character that no text contains


def lexical(text: str, *, is_masked: bool = False) -> str:
    """Return lower-case words separated by one space. Apostrophes inside words, as in "don't", become plain ones.

    In masked text, the asterisks in words stay.
    """
    if is_masked:
        kept = _MASKS.sub(lambda mask: _PRIVATE * len(mask[0]), text)
        return lexical(kept).replace(_PRIVATE, "*")
    spaced = "".join(map(_lexical_character, text.lower()))
    return " ".join(filter(None, (word.strip("'") for word in spaced.split())))


@lru_cache(maxsize=4096)
def _lexical_character(character: str) -> str:
    if character in APOSTROPHES:
        return "'"
    return " " if unicodedata.category(character).startswith("P") else character


__all__ = ["Metadata", "RecognizedWindow", "Transcript", "assemble"]

SIDES = ("Speaker 1L", "Speaker 1R")  # the original service's names for the two channels of a call, contract 4


@dataclass(frozen=True, slots=True)
class Metadata:
    """The engine and the input of a transcript. It has no date, so that the same input yields the same bytes."""

    engine: str
    revision: str | None  #: of the model
    input_uri: str  #: without the query of a URL, which may contain a signature
    input_etag: str | None
    input_size_bytes: int
    languages: Mapping[str, float] = field(default_factory=dict)  #: detected languages with their seconds of speech
    warnings: tuple[str, ...] = ()  #: for the reader of the transcript


@dataclass(frozen=True, slots=True)
class Transcript:
    """The content of a transcript, independent of its format. `channels` counts the channels transcribed separately."""

    request_id: str
    duration_sec: float
    model: str
    channels: int
    segments: tuple[TranscriptSegment, ...]
    config: Config
    metadata: Metadata
    speakers: Mapping[int, float] = field(default_factory=dict)  #: the seconds of speech of each, with diarization
    names: Mapping[str, str] = field(default_factory=dict)  #: that people gave to speakers and channels, by label
    waveform: Waveform | None = None  #: of the recording, if it was decoded

    @property
    def text_display(self) -> str:
        return " ".join(segment.text for segment in self.segments)

    @property
    def text_lexical(self) -> str:
        return lexical(self.text_display, is_masked=self.config.profanity_filter)

    def speaker(self, segment: TranscriptSegment) -> str | None:
        """Return the speaker, or the side of a two-channel call; None if it is unknown."""
        if segment.speaker is not None:
            return self.name_of(name_speaker(segment.speaker))
        if self.config.channel_separation and self.channels == len(SIDES):
            return self.name_of(SIDES[segment.channel])
        return None

    def label(self, segment: TranscriptSegment) -> str | None:
        """Return the label in subtitles and plain text: `speaker`, or the channel from 1 if there are several."""
        if speaker := self.speaker(segment):
            return speaker
        if self.config.channel_separation and self.channels > 1:
            return self.name_of(name_channel(segment.channel))
        return None

    def name_of(self, label: str) -> str:
        return self.names.get(label, label)


def assemble(
    recognized: Iterable[RecognizedWindow],
    *,
    duration_sec: float,
    channels: int,
    model: str,
    request_id: str,
    config: Config,
    metadata: Metadata,
    turns: Sequence[SpeakerTurn] = (),
    aliases: AliasRewriter | None = None,
    profanity: ProfanityFilter | None = None,
    waveform: Waveform | None = None,
) -> Transcript:
    """Build the transcript of a recording of `duration_sec` seconds with `channels` channels.

    `turns` are the result of diarization. `aliases` are applied before the profanity filter. The order of `recognized`
    and of `turns` does not matter.
    """
    rewriters: list[Rewriter] = [aliases.rewrite] if aliases is not None else []
    if profanity is not None:
        rewriters.append(profanity.rewriter(config.language))
    segments = transcript_segments(recognized, milliseconds(duration_sec), turns=turns, rewriters=rewriters)
    numbers = number_speakers(segments)
    return Transcript(
        request_id=request_id,
        duration_sec=milliseconds(duration_sec),
        model=model,
        channels=channels,
        segments=renumber(segments, numbers),
        config=config,
        metadata=metadata,
        speakers=measure_speakers(turns, numbers, duration_sec),
        waveform=waveform,
    )


def name_speaker(number: int) -> str:
    return f"Speaker {number}"  # contract 4


def name_channel(channel: int) -> str:
    return f"Channel {channel + 1}"
