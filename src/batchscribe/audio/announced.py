"""How long a track says it is, before any of it is decoded."""

from __future__ import annotations

from itertools import pairwise

from av.audio.stream import AudioStream


def announced_end_sec(stream: AudioStream, container: str, origin_sec: float, max_sec: float) -> float:
    """Where the track ends on the recording's own clock; 0 where it does not say.

    `origin_sec` is what the file's clock shows at the start of the recording. A start or a hole of more than
    `max_sec` is damage or the time of day, and no silence.
    """
    if stream.duration is None or stream.time_base is None:
        return 0.0
    duration_sec = float(stream.duration * stream.time_base)
    if container == "ogg":
        return max(0.0, duration_sec - origin_sec)  # FFmpeg gives the clock at the end
    if container != "m4a":
        return duration_sec
    start_sec = (stream.start_time or 0) * float(stream.time_base)
    start_sec = start_sec if 0.0 < start_sec <= max_sec else 0.0
    return start_sec + _mp4_sec(stream, duration_sec, max_sec)


def _mp4_sec(stream: AudioStream, duration_sec: float, max_sec: float) -> float:
    """From the first sound to the last."""
    if len(stream.index_entries) < 2:
        return duration_sec
    if stream.frames == 0:
        # Fragmented: its duration is where the last fragment ends, by a clock that starts anywhere.
        duration_sec = _span_of_index_sec(stream)
    return duration_sec if duration_sec <= max_sec else min(duration_sec, _sum_of_index_sec(stream, max_sec))


def _span_of_index_sec(stream: AudioStream) -> float:
    entries = stream.index_entries
    ticks = entries[-1].timestamp - entries[0].timestamp
    return ticks * float(stream.time_base or 0) * len(entries) / (len(entries) - 1)


def _sum_of_index_sec(stream: AudioStream, max_sec: float) -> float:
    """The same without holes that no recording can have: one damaged fragment can lie decades away."""
    clock_sec = float(stream.time_base or 0)
    steps_sec = ((after.timestamp - before.timestamp) * clock_sec for before, after in pairwise(stream.index_entries))
    return sum(step for step in steps_sec if 0.0 < step <= max_sec)
