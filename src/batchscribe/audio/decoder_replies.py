"""Validation of a decoder's messages about one recording.

Hostile media may control the decoder, so no message is trusted. Each message must have exactly the expected fields.
Each number must be finite and in range. Windows must arrive in order of time and within limits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from batchscribe.audio.decode_limits import MAX_CHANNELS, SAMPLE_RATES
from batchscribe.audio.file_view import BLOCK_BYTES
from batchscribe.audio.findings import Finding, Remark
from batchscribe.audio.media import Media
from batchscribe.audio.sniff import DEMUXERS
from batchscribe.errors import MediaError
from batchscribe.window import FINEST_SAMPLES, MOST_PEAKS, SAMPLE_RATE, Samples, Waveform, Window

MAX_WINDOW_SEC = 31.0  #: segmenters cut at 30 s
#: Decoded sound may exceed the limit by the block in which the limit is detected.
SLACK_SEC = 2.0
#: A decoder may read a block again that it no longer keeps, but not endlessly.
MAX_READS, MAX_READS_OF_BLOCK = 1_000, 50
MAX_POSITION_BYTES = 4_096 * MAX_CHANNELS  #: a channel takes about 2,000
_CODEC = re.compile(r"[a-z0-9_]{1,32}")
_SAMPLE_BYTES = 4  #: float32


class InvalidDecoderReply(ValueError):
    """An invalid message from the decoder. The error text is for developers and contains no text from the decoder."""


@dataclass(frozen=True, slots=True, eq=False)
class SoundBlock:
    """A part of all the sound of a track: float32[n_samples], 16 kHz, mixed. The first one starts at sample 0.

    If the decoder tries another track, the next block starts at sample 0 again.
    """

    start_sample: int
    samples: Samples


class Replies:
    """A validator of the messages about one recording, in order. All methods may raise `InvalidDecoderReply`."""

    def __init__(self, size: int, *, channels_apart: bool, max_sec: float) -> None:
        self._size = size
        self._max_sec = max_sec + SLACK_SEC
        self._ends = [0.0] * (MAX_CHANNELS if channels_apart else 1)  #: of the last window of each channel
        self._n_reads = 0
        self._n_heard = 0  #: samples of the current track

    def op(self, header: Mapping[str, Any]) -> str:
        """Return the type of a message."""
        op = header.get("op")
        if not isinstance(op, str) or header.keys() != _FIELDS.get(op):
            raise InvalidDecoderReply("an unknown message")
        return op

    def read_block_request(self, header: Mapping[str, Any]) -> tuple[int, int]:
        """Return the offset and length of the block that the decoder requests."""
        offset = _whole(header["offset"], 0, self._size - 1)
        length = _whole(header["length"], 1, BLOCK_BYTES)
        self._n_reads += 1
        if self._n_reads > MAX_READS + MAX_READS_OF_BLOCK * (self._size // BLOCK_BYTES):
            raise InvalidDecoderReply("it reads the same bytes again and again")
        return offset, length

    def window(self, header: Mapping[str, Any], payload: memoryview) -> Window:
        channel = _whole(header["channel"], 0, len(self._ends) - 1)
        samples = _samples(payload)
        duration_sec = len(samples) / SAMPLE_RATE
        start_sec = _number(header["start_sec"], 0.0, self._max_sec - duration_sec)
        if start_sec < self._ends[channel] - 1 / SAMPLE_RATE:
            raise InvalidDecoderReply("a window begins before the previous one ends")
        self._ends[channel] = start_sec + duration_sec
        return Window(channel, start_sec, samples, _speech(header["speech"], duration_sec))

    def sound(self, header: Mapping[str, Any], payload: memoryview) -> SoundBlock:
        start_sample = _whole(header["start_sample"], 0, round(self._max_sec * SAMPLE_RATE))
        if start_sample not in (0, self._n_heard):
            raise InvalidDecoderReply("a gap in the sound")
        samples = _samples(payload)
        self._n_heard = start_sample + len(samples)
        return SoundBlock(start_sample, samples)

    def position(self, payload: memoryview) -> bytes:
        """Return a position, which only a decoder of the same recording reads."""
        if not 0 < len(payload) <= MAX_POSITION_BYTES:
            raise InvalidDecoderReply("a position of an impossible length")
        return bytes(payload)

    def media(self, facts: object) -> Media:
        """Return the facts of the whole recording, after all windows have arrived."""
        if not isinstance(facts, dict) or facts.keys() != _MEDIA_FIELDS:
            raise InvalidDecoderReply("invalid facts about the recording")
        channels = _whole(facts["channels"], 1, MAX_CHANNELS)
        if any(self._ends[channels:]):
            raise InvalidDecoderReply("a window of a channel that does not exist")
        return Media(
            duration_sec=_number(facts["duration_sec"], max(0.0, max(self._ends) - SLACK_SEC), self._max_sec),
            channels=channels,
            container=_one_of(DEMUXERS, facts["container"]),
            codec=_codec(facts["codec"]),
            sample_rate=_whole(facts["sample_rate"], SAMPLE_RATES.start, SAMPLE_RATES.stop - 1),
            remarks=_warnings(facts["remarks"]),
        )

    def waveform(self, facts: object, payload: memoryview, duration_sec: float) -> Waveform:
        """Return the waveform of a recording of this length. Its peaks may have any values."""
        if not isinstance(facts, dict) or facts.keys() != {"channels", "peak_sec"}:
            raise InvalidDecoderReply("invalid facts about the waveform")
        n_channels = _whole(facts["channels"], 1, len(self._ends))
        peak_sec = _number(facts["peak_sec"], FINEST_SAMPLES / SAMPLE_RATE, self._max_sec)
        n_peaks, rest = divmod(len(payload), n_channels)
        if rest or not 1 <= n_peaks <= MOST_PEAKS or (n_peaks - 1) * peak_sec > duration_sec:
            raise InvalidDecoderReply("a waveform of an impossible length")
        return Waveform.of_bytes(peak_sec, n_channels, bytes(payload))

    def error(self, said: object) -> MediaError:
        """Return the error because of which the recording cannot be decoded."""
        try:
            return Remark.from_json(said).error()
        except ValueError as error:
            raise InvalidDecoderReply("an unknown refusal") from error


#: The fields of each message.
_FIELDS: Mapping[str, Set[str]] = {
    "alive": {"op"},
    "read": {"op", "offset", "length"},
    "window": {"op", "channel", "start_sec", "speech"},
    "sound": {"op", "start_sample"},
    "position": {"op"},
    "done": {"op", "media", "peaks"},
    "failed": {"op", "remark"},
}
_MEDIA_FIELDS = frozenset({"duration_sec", "channels", "container", "codec", "sample_rate", "remarks"})


def _whole(value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise InvalidDecoderReply("an integer out of range")
    return value


def _number(value: object, least: float, most: float) -> float:
    if type(value) not in (int, float) or not least <= value <= most:  # type: ignore[operator]
        raise InvalidDecoderReply("a number out of range")
    return float(value)  # type: ignore[arg-type]


def _one_of(words: Mapping[str, object], value: object) -> str:
    if not isinstance(value, str) or value not in words:
        raise InvalidDecoderReply("a word that is not in the list")
    return value


def _codec(value: object) -> str:
    """Check the form of FFmpeg's codec name. It is never shown, so its meaning is not checked."""
    if not isinstance(value, str) or not _CODEC.fullmatch(value):
        raise InvalidDecoderReply("an invalid codec name")
    return value


def _samples(payload: memoryview) -> Samples:
    """Return the samples of a window. One NaN would spoil other windows in the same batch of the engine."""
    import numpy as np

    if not 0 < len(payload) <= MAX_WINDOW_SEC * SAMPLE_RATE * _SAMPLE_BYTES or len(payload) % _SAMPLE_BYTES:
        raise InvalidDecoderReply("a window of an impossible length")
    samples: Samples = np.frombuffer(payload, dtype=np.float32)
    if not np.abs(samples).max() <= 1.0:  # false for NaN
        raise InvalidDecoderReply("samples beyond full scale")
    return samples


def _speech(spans: object, duration_sec: float) -> tuple[tuple[float, float], ...] | None:
    """Return the spans of speech in a window, in order."""
    if spans is None:
        return None
    if not isinstance(spans, list):
        raise InvalidDecoderReply("spans that are not a list")
    checked: list[tuple[float, float]] = []
    last_sec = 0.0
    for span in spans:
        if not isinstance(span, list) or len(span) != 2:
            raise InvalidDecoderReply("a span without a beginning and an end")
        start = _number(span[0], last_sec, duration_sec)
        last_sec = _number(span[1], start, duration_sec)
        checked.append((start, last_sec))
    return tuple(checked)


def _warnings(said: object) -> tuple[Remark, ...]:
    """Return the warnings, each at most once."""
    if not isinstance(said, list) or len(said) > len(Finding):
        raise InvalidDecoderReply("warnings that are not a list, or too many of them")
    try:
        remarks = tuple(Remark.from_json(each) for each in said)
    except ValueError as error:
        raise InvalidDecoderReply("an unknown warning") from error
    findings = [remark.finding for remark in remarks]
    if len(set(findings)) < len(findings) or any(finding.error for finding in findings):
        raise InvalidDecoderReply("a repeated warning, or a refusal among the warnings")
    return remarks
