"""The duration that a container announces for a track, read from MP4 boxes or tags if FFmpeg does not report it."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from av.audio.stream import AudioStream

from batchscribe.audio.file_view import SeekableFile, read_at

_MAX_BOXES = 10_000  #: a hostile file could hold millions
_MAX_EDIT_LIST_BYTES = 2**16
_CLOCK_TIME = re.compile(r"(\d{1,9}):(\d\d):(\d\d(?:\.\d{1,9})?)", re.ASCII)


def has_index(file: SeekableFile) -> bool:
    """Return whether there is a complete `moov` box, which is needed to locate the samples."""
    offset = 0
    for _ in range(_MAX_BOXES):
        file.seek(offset)
        size, name = _box(file.read(16))
        if name == b"moov":
            return offset + size <= file.size
        if size < 8 or offset + size >= file.size:
            return False
        offset += size
    return False


class Box(NamedTuple):
    name: bytes
    start: int  #: of its content
    end: int


def plays_at_other_speed(file: SeekableFile, track_id: int) -> bool:
    """Return whether the edit list of the track has parts that players speed up, slow down or stop.

    Restores the file position, because FFmpeg continues to read from there.
    """
    position = file.tell()
    try:
        return _plays_at_other_speed(file, track_id)
    finally:
        file.seek(position)


def _plays_at_other_speed(file: SeekableFile, track_id: int) -> bool:
    for moov in _find_boxes(b"moov", file, 0, file.size):
        for track in _find_boxes(b"trak", file, moov.start, moov.end):
            if any(_track_id(file, head) == track_id for head in _find_boxes(b"tkhd", file, track.start, track.end)):
                lists = _find_boxes(b"edts", file, track.start, track.end)
                return any(_has_other_speed(file, edits) for edits in lists)
    return False


def _track_id(file: SeekableFile, head: Box) -> int:
    is_long = read_at(file, head.start, 1) == b"\1"
    return int.from_bytes(read_at(file, head.start + (20 if is_long else 12), 4), "big")


def _has_other_speed(file: SeekableFile, edits: Box) -> bool:
    for box in _find_boxes(b"elst", file, edits.start, edits.end):
        content = read_at(file, box.start, min(box.end - box.start, _MAX_EDIT_LIST_BYTES))
        entry = struct.Struct(">QqI" if content[:1] == b"\1" else ">IiI")
        entries = content[8 : len(content) - (len(content) - 8) % entry.size] if len(content) >= 8 else b""
        if any(length and start >= 0 and speed != 1 << 16 for length, start, speed in entry.iter_unpack(entries)):
            return True
    return False


def _find_boxes(name: bytes, file: SeekableFile, start: int, end: int) -> Iterator[Box]:
    """Yield all boxes of this name between two offsets, limited to that range."""
    for _ in range(_MAX_BOXES):
        size, found = _box(read_at(file, start, 16))
        size = size or end - start  # 0 means up to the end
        if start >= end or size < 8:
            return
        if found == name:
            is_large = read_at(file, start, 4) == b"\0\0\0\1"
            yield Box(found, start + (16 if is_large else 8), min(end, start + size))
        start += size


def _box(header: bytes) -> tuple[int, bytes]:
    if len(header) < 8:
        return 0, b""
    size, name = struct.unpack_from(">I4s", header)
    if size == 1 and len(header) == 16:
        (size,) = struct.unpack_from(">Q", header, 8)
    return size, name


def announced_end_sec(stream: AudioStream, container: str, origin_sec: float, max_sec: float) -> float:
    """Return where the track ends on the recording's own clock; 0 if that is not announced.

    `origin_sec` is the file's clock at the start of the recording. A start or a gap of more than `max_sec` is
    damage or the time of day, not silence.
    """
    if container == "webm":
        return max(0.0, _tagged_end_sec(stream) - origin_sec)
    if container == "aac" or stream.duration is None or stream.time_base is None:  # of AAC it is only a guess
        return 0.0
    duration_sec = float(stream.duration * stream.time_base)
    if container != "m4a":
        return duration_sec
    start_sec = (stream.start_time or 0) * float(stream.time_base)
    start_sec = start_sec if 0.0 < start_sec <= max_sec else 0.0
    return start_sec + _mp4_sec(stream, duration_sec, max_sec)


def _tagged_end_sec(stream: AudioStream) -> float:
    """Return the end of a track by its statistics, which most writers of Matroska add; live recordings have none.

    The duration of the whole file would be that of its longest track, perhaps a video.
    """
    found = _CLOCK_TIME.fullmatch(stream.metadata.get("DURATION", ""))
    if found is None:
        return 0.0
    hours, minutes, seconds = map(float, found.groups())
    return 3600.0 * hours + 60.0 * minutes + seconds


def _mp4_sec(stream: AudioStream, duration_sec: float, max_sec: float) -> float:
    """Return the duration from the first sound to the last."""
    if len(stream.index_entries) < 2:
        return duration_sec
    if stream.frames == 0:
        # Fragmented: the reported duration is the end of the last fragment, on a clock with an arbitrary start.
        duration_sec = _span_of_index_sec(stream)
    return duration_sec if duration_sec <= max_sec else min(duration_sec, _sum_of_index_sec(stream, max_sec))


def _span_of_index_sec(stream: AudioStream) -> float:
    entries = stream.index_entries
    ticks = entries[-1].timestamp - entries[0].timestamp
    return ticks * float(stream.time_base or 0) * len(entries) / (len(entries) - 1)


def _sum_of_index_sec(stream: AudioStream, max_sec: float) -> float:
    """Return the same span without impossible gaps: one damaged fragment can be decades away."""
    clock_sec = float(stream.time_base or 0)
    steps_sec = ((after.timestamp - before.timestamp) * clock_sec for before, after in pairwise(stream.index_entries))
    return sum(step for step in steps_sec if 0.0 < step <= max_sec)
