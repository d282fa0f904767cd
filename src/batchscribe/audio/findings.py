"""All findings that a decoder can report about a recording: one table of codes, each with its sentence.

Hostile media may control the process that decodes it, and a tenant reads the reports. So a decoder never sends text.
It sends only the name of a `Finding`, with numbers and words from short lists. The parent checks these and builds the
sentence.

To add a warning, add one line to `Finding` and yield it in the decoder:

    LATE_START = None, "The sound starts {late:sec} late."
    yield remark(Finding.LATE_START, late=12.0)

To add a refusal, name its error instead of None, and `raise refusal(Finding.THE_NAME, ...)`. A field is written
`{name:kind}`; `KINDS` lists the kinds.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, unique
from math import isfinite
from typing import Any, Protocol

from batchscribe.audio.decode_limits import MAX_CHANNELS
from batchscribe.errors import (
    CorruptMedia,
    DecodeLimitExceeded,
    EmptyRecording,
    MediaError,
    NoAudioTrack,
    UnsupportedMedia,
)
from batchscribe.input_formats import TITLES

Fact = int | float | str


class Looks(StrEnum):
    """Other types of files, by their first bytes."""

    PLAYLIST = "a playlist"
    PAGE = "an HTML or XML page"
    PDF = "a PDF document"
    ZIP = "a ZIP archive"
    GZIP = "a gzip archive"
    WMA = "a WMA or WMV file"
    AIFF = "an AIFF file"
    AMR = "an AMR file"
    CAF = "a CAF file"
    ZEROS = "a file of zeros"
    TEXT = "a text file"
    UNKNOWN = "in an unknown format"


#: FFmpeg's names of codecs that occur in recordings. Any other codec is reported as `OTHER_CODEC`.
CODEC_NAMES = frozenset({
    "aac", "ac3", "ac4", "alac", "amrnb", "amrwb", "ape", "aptx", "aptx_hd", "atrac3", "atrac3p", "atrac9",
    "comfortnoise", "cook", "dca", "dst", "dts", "eac3", "evrc", "flac", "g722", "g723_1", "g726", "g726le", "g728",
    "g729", "gsm", "gsm_ms", "ilbc", "imc", "lc3", "mace3", "mace6", "metasound", "mlp", "mp1", "mp2", "mp3",
    "mp3adu", "mp3on4", "mpc7", "mpc8", "msnsiren", "nellymoser", "on2avc", "opus", "qcelp", "qdm2", "qdmc",
    "ra_144", "ra_288", "s302m", "shorten", "sipr", "siren", "sonic", "speex", "tak", "truehd", "truespeech", "tta",
    "twinvq", "vorbis", "wavpack", "wmalossless", "wmapro", "wmav1", "wmav2", "wmavoice", "ws_snd1", "xma1", "xma2",
})  # fmt: skip
OTHER_CODEC = "an unknown codec"
#: Names of formats, as used in sentences.
FORMAT_NAMES = frozenset(TITLES.values())


class Kind(Protocol):
    """The allowed values of a field, and their text in a sentence."""

    def clamp(self, value: Any) -> Fact:
        """Return the value, or the nearest allowed one. Only the decoder calls this."""
        ...

    def is_allowed(self, value: object) -> bool: ...

    def describe(self, value: Any) -> str: ...


@dataclass(frozen=True, slots=True)
class _Whole:
    """A whole number from `least` to `most`."""

    most: int
    least: int = 0
    unit: str = ""

    def clamp(self, value: Any) -> int:
        return max(self.least, min(self.most, int(value)))

    def is_allowed(self, value: object) -> bool:
        return type(value) is int and self.least <= value <= self.most

    def describe(self, value: int) -> str:
        return f"{value}{self.unit}"


@dataclass(frozen=True, slots=True)
class _Counted:
    """A whole number with its noun and verb."""

    one: str
    many: str
    most: int = 10**9

    def clamp(self, value: Any) -> int:
        return max(0, min(self.most, int(value)))

    def is_allowed(self, value: object) -> bool:
        return type(value) is int and 0 <= value <= self.most

    def describe(self, value: int) -> str:
        return f"{value} {self.one if value == 1 else self.many}"


@dataclass(frozen=True, slots=True)
class _Measured:
    """A number from `least` to `most` with a unit; `digits` is its format."""

    most: float
    least: float = 0.0
    unit: str = ""
    digits: str = ".1f"

    def clamp(self, value: Any) -> float:
        number = float(value)
        return max(self.least, min(self.most, number)) if isfinite(number) else self.most

    def is_allowed(self, value: object) -> bool:
        return type(value) in (int, float) and self.least <= value <= self.most  # type: ignore[operator]

    def describe(self, value: float) -> str:
        return f"{value:{self.digits}}{self.unit}"


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A word from a list."""

    words: frozenset[str]
    otherwise: str

    def clamp(self, value: Any) -> str:
        return str(value) if value in self.words else self.otherwise

    def is_allowed(self, value: object) -> bool:
        return isinstance(value, str) and (value in self.words or value == self.otherwise)

    def describe(self, value: str) -> str:
        return str(value)


class _Sentences(string.Formatter):
    """A formatter in which the kind of a field, `{name:kind}`, formats its value."""

    def format_field(self, value: Any, format_spec: str) -> str:
        return KINDS[format_spec].describe(value)


KINDS: Mapping[str, Kind] = {
    "number": _Whole(most=10**9),
    "hz": _Whole(most=2**32, least=-(2**32), unit=" Hz"),
    "sec": _Measured(most=1e7, unit=" s"),
    "limit": _Measured(most=1e9, unit=" s", digits="g"),
    "db": _Measured(most=1000.0, least=-1000.0, unit=" dB"),
    "jumps": _Counted("timestamp jumps", "timestamps jump"),
    "returns": _Counted("timestamp goes back", "timestamps go back"),
    "channels": _Counted("channel", "channels"),
    "transcribed": _Counted("was", "were"),
    "short": _Measured(most=1e7, unit=" s", digits=".2f"),
    "packets": _Counted("damaged packet was", "damaged packets were"),
    "looks": _Chosen(frozenset(Looks), Looks.UNKNOWN),
    "format": _Chosen(FORMAT_NAMES, "a format"),
    "codec": _Chosen(CODEC_NAMES, OTHER_CODEC),
}


@unique
class Finding(Enum):
    """The error that it raises, or None for a warning, and its sentence."""

    # Refusals
    NO_BYTES = EmptyRecording, "The file is empty: it has no bytes."
    NO_SAMPLES = EmptyRecording, "The file contains no audio samples."
    NOT_A_RECORDING = (
        UnsupportedMedia,
        "The file is not a WAV, MP3, M4A, MP4, FLAC, Ogg, WebM or AAC recording; it seems to be {looks:looks}.",
    )
    FORMAT_NOT_ALLOWED = (
        UnsupportedMedia,
        "The file is {format:format}, which BATCHSCRIBE_INPUT_FORMATS does not allow; convert it, or add the format.",
    )
    CODEC_UNKNOWN = UnsupportedMedia, "The audio is encrypted, or its codec is unknown."
    CODEC_NOT_DECODED = UnsupportedMedia, "The audio is encoded with {codec:codec}, which is not supported."
    BARE_AAC_IN_WAV = (
        UnsupportedMedia,
        "The WAV contains AAC without frame headers (ADTS), which is not supported.",
    )
    NO_AUDIO_TRACK = NoAudioTrack, "The file has no audio track."
    MP4_WITHOUT_INDEX = CorruptMedia, "The MP4 has no index (moov): the file was cut off or never finished."
    STRUCTURE_DAMAGED = CorruptMedia, "The file is damaged: its {format:format} structure cannot be read."
    FORM_CHANGES = CorruptMedia, "The file is damaged: its audio changes to a format that cannot be converted."
    NOTHING_DECODED = CorruptMedia, "The audio is damaged: none of its packets can be decoded."
    CHANNELS_IMPOSSIBLE = (
        CorruptMedia,
        f"The file declares {{channels:number}} channels; 1 to {MAX_CHANNELS} can be transcribed.",
    )
    RATE_IMPOSSIBLE = CorruptMedia, "The file declares a sample rate of {rate:hz}."
    WAV_RATE_IMPOSSIBLE = CorruptMedia, "The WAV header declares a sample rate of {rate:hz}."
    TOO_LONG = (
        DecodeLimitExceeded,
        "The recording is longer than {limit:limit}; raise BATCHSCRIBE_MAX_DECODED_SEC to allow it.",
    )
    ANNOUNCED_TOO_LONG = (
        DecodeLimitExceeded,
        (
            "The recording is {announced:sec} long, and the limit is {limit:limit}; "
            "raise BATCHSCRIBE_MAX_DECODED_SEC to allow it."
        ),
    )
    OUT_OF_MEMORY = (
        DecodeLimitExceeded,
        "The file is damaged or needs more memory than BATCHSCRIBE_DECODE_MEMORY_BYTES or `ulimit -v` allows.",
    )
    # Warnings
    TRACK_CHOSEN = None, "Audio track {track:number} of {tracks:number} was transcribed."
    TRACK_DECODABLE = (
        None,
        ("Audio track {track:number} of {tracks:number} was transcribed: track {passed:number} cannot be decoded."),
    )
    TRACK_HEARD = (
        None,
        "Audio track {track:number} of {tracks:number} was transcribed: track {passed:number} has no speech.",
    )
    TRACK_LEFT = (
        None,
        (
            "Audio track {track:number} of {tracks:number} was transcribed: "
            "{others:number} other tracks cannot be decoded or have no speech."
        ),
    )
    CHANNELS_ALIKE = (
        None,
        "{alike:number} of {channels:number} channels have the same sound and therefore the same text.",
    )
    CHANNELS_CANCEL = (
        None,
        "For {duration:sec} the channels cancel each other out when mixed; the loudest one was transcribed there.",
    )
    PACKETS_SKIPPED = None, "{count:packets} skipped: {lost:short} of sound."
    CLOCK_JUMPS = None, "{jumps:jumps} by more than the recording's length; no silence was inserted."
    CLOCK_WRONG = (
        None,
        "The timestamps do not match the audio; from the first mismatch on, times follow the audio.",
    )
    CLOCK_RESTARTS = None, "{restarts:returns} to an earlier time; the audio after that was appended."
    SOUND_MISSING = None, "{missing:short} of sound are missing from the file and were replaced by silence."
    EDITS_IGNORED = None, "The file's edit list excludes all audio; it was ignored."
    OTHER_SPEED = None, "The file's edit list changes the speed of some parts; they were transcribed at normal speed."
    CHANNELS_CHANGE = (
        None,
        "The recording changes from {channels:number} to {others:channels}; {channels:transcribed} transcribed.",
    )
    TRACKS_SILENT = None, "No speech was found in {tried:number} of {tracks:number} audio tracks."
    SHORTER_THAN_ANNOUNCED = None, "The file declares a length of {announced:sec} but contains {held:sec}."
    LENGTH_IMPOSSIBLE = (
        None,
        "The file declares an impossible length; all of the {held:sec} that it contains were decoded.",
    )
    TURNED_DOWN = None, "The recording is {above:db} above full scale and was attenuated."
    BROKEN_OFF = None, "The file is damaged after {held:sec}; the rest was skipped."

    def __init__(self, error: type[MediaError] | None, sentence: str) -> None:
        self.error = error
        self.sentence = sentence
        parsed = string.Formatter().parse(sentence)
        self.fields = {name: KINDS[kind or ""] for _, name, kind, _ in parsed if name is not None}


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding with its facts, all of which are valid."""

    finding: Finding
    facts: Mapping[str, Fact]

    def __post_init__(self) -> None:
        """Check the facts. Raises `ValueError` for missing or unknown facts, and for values out of range."""
        fields = self.finding.fields
        if self.facts.keys() != fields.keys():
            raise ValueError(f"{self.finding.name} has other fields")
        if not all(fields[name].is_allowed(value) for name, value in self.facts.items()):
            raise ValueError(f"a fact of {self.finding.name} is out of range")

    @property
    def sentence(self) -> str:
        return _Sentences().vformat(self.finding.sentence, (), self.facts)

    def error(self) -> MediaError:
        """Create the error. Raises `ValueError` for a warning."""
        if self.finding.error is None:
            raise ValueError(f"{self.finding.name} is a warning")
        return self.finding.error(self.sentence, remark=self)

    def as_json(self) -> dict[str, object]:
        return {"finding": self.finding.name, "facts": dict(self.facts)}

    @classmethod
    def from_json(cls, said: object) -> Remark:
        """Parse what a decoder sent. Raises `ValueError` if it is not a valid remark."""
        if not isinstance(said, dict) or said.keys() != {"finding", "facts"}:
            raise ValueError("not a remark")
        name, facts = said["finding"], said["facts"]
        if not isinstance(name, str) or name not in Finding.__members__ or not isinstance(facts, dict):
            raise ValueError("an unknown finding")
        return cls(Finding[name], facts)


def remark(finding: Finding, **facts: Fact) -> Remark:
    """Create a remark in the decoder. Values out of range become the nearest allowed ones."""
    return Remark(finding, {name: finding.fields[name].clamp(value) for name, value in facts.items()})


def refusal(finding: Finding, **facts: Fact) -> MediaError:
    """Create an error for the decoder to raise."""
    return remark(finding, **facts).error()
