"""The audio of one recording: opening the container, choosing the audio track and decoding it from start to end.

Runs only in the decoder process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from math import log10
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from batchscribe.audio.announced import announced_end_sec, has_index, plays_at_other_speed
from batchscribe.audio.assembly import Assembly
from batchscribe.audio.cancellation import Cancellation
from batchscribe.audio.channels import Channels, SameSound
from batchscribe.audio.decode_limits import MAX_CHANNELS, SAMPLE_RATES
from batchscribe.audio.file_view import RemoteFile, SeekableFile
from batchscribe.audio.findings import Finding, Remark, refusal, remark
from batchscribe.audio.media import Media
from batchscribe.audio.packets import LostPackets, Restarts
from batchscribe.audio.sniff import CERTAIN_DEMUXERS, DEMUXERS
from batchscribe.audio.sound_source import Part, Readable, open_sound_source
from batchscribe.audio.timeline import ClockFaults, Placed, Timeline
from batchscribe.audio.track_choice import CODECS, TrackChoice, check_codec
from batchscribe.errors import CorruptMedia, MediaError, NoAudioTrack, UnsupportedMedia
from batchscribe.input_formats import TITLES
from batchscribe.window import SAMPLE_RATE

#: A recording was cut off if more than this of its announced length is missing.
_MISSING_SEC = 0.5
_MISSING_SHARE = 0.02
_LONGEST_SEC = 1e7  #: 116 days; a longer announced length is invalid
_LOUD = 4.0  #: times full scale, or 12 dB; above this, the transcript gets a warning

av.logging.set_level(None)  # FFmpeg's own messages do not name the file, so they are of no use


class AudioTrack:
    """The audio track of one opened recording."""

    def __init__(
        self,
        file: RemoteFile,
        *,
        input_formats: Collection[str],
        apart: bool,
        max_sec: float,
        choice: TrackChoice | None = None,
        ignores_edits: bool = False,
    ) -> None:
        """Open the recording.

        Raises `EmptyRecording`, `UnsupportedMedia`, `CorruptMedia`, `NoAudioTrack`, and `DecodeLimitExceeded` if the
        announced length is too long.
        """
        if file.size == 0:
            raise refusal(Finding.NO_BYTES)
        self._source = open_sound_source(file, input_formats)
        self._parts = self._source.parts()
        self._choice = choice or TrackChoice()
        self._ignores_edits = ignores_edits
        self._apart = apart
        self._max_sec = max_sec
        self._announced_sec: float | None = 0.0  #: of all parts together; None if one part announces no length
        self._lost = LostPackets()
        self._cancellation = Cancellation()
        self._same_sound = SameSound()
        self._assembly = Assembly(apart=apart, level=self._source.level)
        self._clock = ClockFaults()
        self._n_samples = 0
        self._is_broken_off = False
        part = next(self._parts, None)
        if part is None:
            raise refusal(Finding.STRUCTURE_DAMAGED, format=TITLES[self.container])
        self._timeline = self._open(part, start_sec=0.0)
        self._first_codec = self._codec.channels, self._codec.name, self._codec.sample_rate  #: of the first part
        self._n_channels = 0  #: of the first frame

    def close(self) -> None:
        self._input.close()

    @property
    def may_have_edits(self) -> bool:
        """Whether an edit list may exclude all of the sound."""
        return self.container == "m4a" and not self._ignores_edits

    @property
    def container(self) -> str:
        return self._source.container

    def _open(self, part: Part, start_sec: float) -> Timeline:
        """Open a part that begins `start_sec` into the recording."""
        self._input = _open_container(part.content, self.container, ignores_edits=self._ignores_edits)
        self._stream = self._choice.choose(self._input)
        self._codec = check_codec(self._stream)
        self._lost.until_sec = 0.0
        file = cast("SeekableFile", part.content)
        self._has_other_speed = self.container == "m4a" and plays_at_other_speed(file, self._stream.id)
        origin_sec = self._origin_sec()
        end_sec = announced_end_sec(self._stream, self.container, origin_sec, self._max_sec)
        self._announce(end_sec, is_counted=part.is_counted)
        is_known = end_sec and part.is_measured
        if is_known and start_sec + end_sec > self._max_sec:
            raise refusal(Finding.ANNOUNCED_TOO_LONG, announced=start_sec + end_sec, limit=self._max_sec)
        return Timeline(origin_sec, start_sec, end_sec if is_known else None, self._max_sec, self._clock)

    def _origin_sec(self) -> float:
        """Return the clock at the start of the recording: zero, or its first value if it has an arbitrary start."""
        start_sec = (self._input.start_time or 0) / av.time_base
        is_whole_flac = self.container == "flac" and start_sec * av.time_base < (self._input.duration or 0)
        return 0.0 if self.container == "m4a" or is_whole_flac else start_sec

    def _announce(self, end_sec: float, *, is_counted: bool) -> None:
        is_summed = is_counted and self._announced_sec is not None
        self._announced_sec = (self._announced_sec or 0.0) + end_sec if is_summed else None

    @property
    def media(self) -> Media:
        """The facts of the recording, complete once all blocks are read."""
        channels, codec, sample_rate = self._first_codec
        return Media(
            duration_sec=self.duration_sec,
            channels=self._n_channels or channels,
            container=self.container,
            codec=codec,
            sample_rate=sample_rate,
            remarks=tuple(self._warnings()),
        )

    @property
    def duration_sec(self) -> float:
        """The duration decoded so far, including inserted silence."""
        return self._n_samples / SAMPLE_RATE

    def blocks(self, on_packet: Callable[[], None]) -> Iterator[Channels]:
        """Yield float32[n_channels, n_samples] at 16 kHz, about a second each; one channel unless they are kept apart.

        Calls `on_packet` for each packet, even without sound. Raises `CorruptMedia`, `EmptyRecording`,
        `DecodeLimitExceeded`.
        """
        try:
            yield from self._resample(on_packet)
        except av.FFmpegError as error:
            raise _refusal(error, Finding.FORM_CHANGES) from error
        if self._n_samples == 0:
            raise self._nothing_decoded()

    def _warnings(self) -> Iterator[Remark]:
        yield from self._choice.remarks()
        yield from self._warnings_of_time()
        yield from self._warnings_of_sound()
        yield from self._warnings_of_length()

    def _warnings_of_time(self) -> Iterator[Remark]:
        n_lost = self._lost.count + self._source.n_lost
        if n_lost:
            frames_sec = self._source.n_lost * self._codec.frame_size / self._codec.sample_rate
            yield remark(Finding.PACKETS_SKIPPED, count=n_lost, lost=self._lost.duration_sec + frames_sec)
        if self._clock.n_disbelieved:
            yield remark(Finding.CLOCK_JUMPS, jumps=self._clock.n_disbelieved)
        if self._clock.is_wrong:
            yield remark(Finding.CLOCK_WRONG)
        if self._clock.n_restarts and self.container == "m4a":
            yield remark(Finding.CLOCK_RESTARTS, restarts=self._clock.n_restarts)
        if self._clock.filled_sec > _MISSING_SEC and self.container == "flac":
            yield remark(Finding.SOUND_MISSING, missing=self._clock.filled_sec)
        if self._ignores_edits:
            yield remark(Finding.EDITS_IGNORED)
        elif self._has_other_speed:
            yield remark(Finding.OTHER_SPEED)

    def _warnings_of_sound(self) -> Iterator[Remark]:
        if self._assembly.other_channels:
            yield remark(Finding.CHANNELS_CHANGE, channels=self._n_channels, others=self._assembly.other_channels)
        if self._same_sound.repeated:
            yield remark(Finding.CHANNELS_ALIKE, alike=self._same_sound.repeated + 1, channels=self._n_channels)
        if self._cancellation.duration_sec > 0.0:
            yield remark(Finding.CHANNELS_CANCEL, duration=self._cancellation.duration_sec)
        level = self._source.level * self._assembly.lasting_level
        if level > _LOUD:
            yield remark(Finding.TURNED_DOWN, above=20 * log10(level))

    def _warnings_of_length(self) -> Iterator[Remark]:
        announced_sec = self._announced_sec or self.duration_sec * self._source.announced_share
        if announced_sec > _LONGEST_SEC:
            yield remark(Finding.LENGTH_IMPOSSIBLE, held=self.duration_sec)
        elif announced_sec - self.duration_sec > max(_MISSING_SEC, _MISSING_SHARE * announced_sec):
            yield remark(Finding.SHORTER_THAN_ANNOUNCED, announced=announced_sec, held=self.duration_sec)
        elif self._is_broken_off or self._source.is_broken_off:
            yield remark(Finding.BROKEN_OFF, held=self.duration_sec)

    def _resample(self, on_packet: Callable[[], None]) -> Iterator[Channels]:
        for placed in self._place(on_packet):
            for block in self._assembly.accept(placed):
                yield self._count(block)
        for block in self._assembly.finish():
            yield self._count(block)

    def _place(self, on_packet: Callable[[], None]) -> Iterator[Placed]:
        yield from self._place_part(on_packet)
        for part in self._parts:
            self._input.close()
            try:
                self._timeline = self._open(part, self._timeline.end_sec)
            except (CorruptMedia, NoAudioTrack, UnsupportedMedia):
                self._is_broken_off = True
                return
            yield from self._place_part(on_packet)

    def _place_part(self, on_packet: Callable[[], None]) -> Iterator[Placed]:
        for frame in self._audible(on_packet):
            yield from self._timeline.accept(frame)
        self._lost.finish_part()
        yield from self._timeline.finish(self._lost.until_sec)

    def _audible(self, on_packet: Callable[[], None]) -> Iterator[AudioFrame]:
        if self._apart:
            yield from self._frames(on_packet)
            return
        for frame in self._frames(on_packet):
            yield from self._cancellation.accept(frame)
        yield from self._cancellation.finish()

    def _frames(self, on_packet: Callable[[], None]) -> Iterator[AudioFrame]:
        restarts = Restarts(is_fragmented=self.container == "m4a" and self._stream.frames == 0)
        for demuxed in self._packets():
            on_packet()
            packet = restarts.keep(demuxed)
            try:
                frames = packet.decode()
            except av.MemoryError:
                raise
            except av.FFmpegError:
                self._lost.add(packet)
                continue
            if any(frame.layout.nb_channels > MAX_CHANNELS for frame in frames):  # bytes that happen to be decodable
                self._lost.add(packet)
                continue
            self._lost.record_decoded(packet, frames)
            for frame in frames:
                self._n_channels = self._n_channels or frame.layout.nb_channels
                if frame.sample_rate not in SAMPLE_RATES:
                    raise refusal(Finding.RATE_IMPOSSIBLE, rate=frame.sample_rate)
                yield frame

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        """Yield packets up to the end, or until the container cannot be parsed any further."""
        try:
            yield from self._input.demux(self._stream)
        except av.MemoryError:
            raise
        except av.FFmpegError:
            self._is_broken_off = True

    def _count(self, block: Channels) -> Channels:
        self._n_samples += block.shape[1]
        if self._n_samples > self._max_sec * SAMPLE_RATE:
            raise refusal(Finding.TOO_LONG, limit=self._max_sec)
        if self._apart and len(block) > 1:
            self._same_sound.add(block)
        return block

    def _nothing_decoded(self) -> MediaError:
        is_damaged = self._lost.count or self._is_broken_off
        return refusal(Finding.NOTHING_DECODED if is_damaged else Finding.NO_SAMPLES)


def _open_container(file: Readable, container: str, *, ignores_edits: bool) -> InputContainer:
    options = {
        # Without these two, a disguised playlist makes FFmpeg open other files.
        "format_whitelist": DEMUXERS[container],
        "protocol_whitelist": "file",
        "codec_whitelist": ",".join(sorted(CODECS)),
        "ignore_editlist": str(int(ignores_edits)),
        # WAV only: packets larger than 4 KiB, and one probe for disguised DTS instead of 40 ms of probes.
        "max_size": "16384",
        "max_probe_packets": "0",
    }
    try:
        return av.open(
            file,
            mode="r",
            format=CERTAIN_DEMUXERS.get(container),
            options=options,
            metadata_errors="replace",
            buffer_size=128 * 1024,
        )
    except av.FFmpegError as error:
        if container == "m4a" and not has_index(cast("SeekableFile", file)):
            raise refusal(Finding.MP4_WITHOUT_INDEX) from error
        raise _refusal(error, Finding.STRUCTURE_DAMAGED, format=TITLES[container]) from error


def _refusal(error: av.FFmpegError, finding: Finding, **facts: str) -> MediaError:
    return refusal(Finding.OUT_OF_MEMORY) if isinstance(error, av.MemoryError) else refusal(finding, **facts)
