"""Packets that yield no sound: undecodable packets, and packets that FFmpeg discards."""

from __future__ import annotations

from typing import cast

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

#: Packets at the end may be padding that is cut off entirely. More than this is damage.
_PADDING_SEC = 0.25


class LostPackets:
    """Packets that could not be decoded. Some decoders report an error; others silently return no frame."""

    def __init__(self) -> None:
        self.count = 0
        self.duration_sec = 0.0
        self.until_sec = 0.0  #: end of the last one, on the file's clock
        self._doubtful: list[Packet[AudioStream]] = []  #: packets without a frame since the last frame
        self._is_begun = False

    def add(self, packet: Packet[AudioStream]) -> None:
        self.count += 1
        self.duration_sec += max(0.0, _duration_sec(packet))
        if packet.pts is not None:
            self.until_sec = max(self.until_sec, _end_sec(packet))

    def record_decoded(self, packet: Packet[AudioStream], frames: list[AudioFrame]) -> None:
        """Record a packet that was decoded without an error."""
        if frames:
            moment_sec = frames[0].time
            self._settle(is_lost=moment_sec is not None and self._doubtful_until_sec() <= moment_sec + _PADDING_SEC)
            self._is_begun = True
        elif self._is_begun and packet.size and packet.pts is not None and not packet.is_discard:
            self._doubtful.append(packet)

    def finish_part(self) -> None:
        """Finish one recording of the file, after all its packets were decoded."""
        self._settle(is_lost=sum(map(_duration_sec, self._doubtful)) > _PADDING_SEC)
        self._is_begun = False

    def _doubtful_until_sec(self) -> float:
        return _end_sec(self._doubtful[-1]) if self._doubtful else 0.0

    def _settle(self, *, is_lost: bool) -> None:
        doubtful, self._doubtful = self._doubtful, []
        for packet in doubtful if is_lost else ():
            self.add(packet)


class Restarts:
    """A filter that keeps fragments of an MP4 whose clock goes back.

    FFmpeg discards them. If all fragments begin at zero, that is the whole recording.
    """

    def __init__(self, *, is_fragmented: bool) -> None:
        self._is_fragmented = is_fragmented
        self._until: int | None = None  #: latest packet end so far

    def keep(self, packet: Packet[AudioStream]) -> Packet[AudioStream]:
        """Return the packet, or a copy without the discard flag. Packets that an edit list cuts off stay discarded."""
        if not self._is_fragmented or packet.dts is None:
            return packet
        is_behind = self._until is not None and packet.dts < self._until
        if packet.is_discard and not is_behind:
            return packet
        self._until = max(self._until or 0, packet.dts + (packet.duration or 0))
        return _copy_packet(packet) if packet.is_discard else packet


def _copy_packet(packet: Packet[AudioStream]) -> Packet[AudioStream]:
    copied = cast("Packet[AudioStream]", Packet(bytes(packet)))
    copied.stream, copied.time_base = packet.stream, packet.time_base
    copied.pts, copied.dts, copied.duration = packet.pts, packet.dts, packet.duration
    return copied


def _duration_sec(packet: Packet[AudioStream]) -> float:
    return float(packet.duration or 0) * float(packet.time_base or 0)


def _end_sec(packet: Packet[AudioStream]) -> float:
    return float(packet.pts or 0) * float(packet.time_base or 0) + _duration_sec(packet)
