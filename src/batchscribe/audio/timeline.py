"""The position of each decoded frame on the recording's own clock.

Counting samples is not enough: sound may start late, have gaps, or lose packets. Trusting every timestamp is not enough
either: timestamps are rounded, jitter, run backwards and may be damaged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from av.audio.frame import AudioFrame

#: Timestamps are rounded to their clock, often to milliseconds, and those of live recordings jitter.
TOLERANCE_SEC = 0.02
START_TOLERANCE_SEC = 0.001  #: the first timestamp has no earlier one to jitter against
#: A jump is accepted once it has lasted this long; a damaged timestamp stands alone.
LASTING_SEC = 0.25
_MAX_WAITING = 256  #: frames, even if they are very short
#: Sound that overlaps by up to this much is cut, as players do. A clock that goes back further was restarted.
MAX_OVERLAP_SEC = 0.5
#: Overlaps are cut by at most this in total. Otherwise a file whose clock is always slow would lose speech throughout.
_MAX_CUT_SEC, _MAX_CUT_SHARE = 1.0, 0.01
#: After this many consecutive frames with a gap before each, the clock is wrong. No recording loses every second packet
#: for so long.
_MAX_GAPS_IN_ROW, _SMALL_GAP_SEC = 25, 0.1
#: Gaps may end this long after the announced end. Gaps up to this long need no announced end.
_SLACK_SEC = 1.0


class Placed(NamedTuple):
    """A frame and its place, in seconds from the start of the recording; a frame may start before that.

    `start_sec` is None if the frame directly follows the previous one. `end_sec` is the end of the last frame, if that
    is not the end of its samples.
    """

    frame: AudioFrame
    start_sec: float | None = None
    end_sec: float | None = None


@dataclass
class ClockFaults:
    """Faults in the timestamps of a recording."""

    n_disbelieved: int = 0  #: jumps that are impossible in a recording of this length
    n_restarts: int = 0  #: jumps back that are not overlaps
    filled_sec: float = 0.0  #: silence inserted into gaps
    is_wrong: bool = False  #: gaps or overlaps were ignored because they occur throughout


class Timeline:
    """The frames of one track, taken in order and returned with their places."""

    def __init__(
        self,
        origin_sec: float,
        start_sec: float,
        length_sec: float | None,
        max_sec: float,
        faults: ClockFaults | None = None,
    ) -> None:
        """Start at `start_sec` of the recording, where the file's clock shows `origin_sec`.

        `length_sec` is the announced length, or None. Faults of the clock are added to `faults`.
        """
        self._clock_offset_sec = origin_sec - start_sec
        self._announced_end_sec = inf if length_sec is None else start_sec + length_sec
        self._max_sec = max_sec
        self._waiting: deque[AudioFrame] = deque()
        self._waiting_sec = 0.0
        self.end_sec = start_sec  #: of the frames placed so far
        self._cut_sec = 0.0
        self._tolerance_sec = START_TOLERANCE_SEC
        self._gaps_in_row = 0
        self._faults = faults or ClockFaults()

    def accept(self, frame: AudioFrame) -> Iterator[Placed]:
        """Take a frame, and yield the frames whose place is known. One always waits: the last frame is special."""
        while self._waiting and self._is_settled(self._waiting[0]):
            yield self._place(self._next())
        self._waiting.append(frame)
        self._waiting_sec += _length_sec(frame)

    def finish(self, lost_until_sec: float) -> Iterator[Placed]:
        """Yield the last frames. Packets that could not be decoded end at `lost_until_sec` on the file's clock."""
        while len(self._waiting) > 1:
            yield self._place(self._next())
        if self._waiting:
            yield self._place_last(self._next(), lost_until_sec)

    def _next(self) -> AudioFrame:
        frame = self._waiting.popleft()
        self._waiting_sec -= _length_sec(frame)
        return frame

    def _is_settled(self, frame: AudioFrame) -> bool:
        is_on_time = abs(self._lateness_sec(frame, self.end_sec)) <= self._tolerance_sec
        return is_on_time or self._waiting_sec > LASTING_SEC or len(self._waiting) >= _MAX_WAITING

    def _lateness_sec(self, frame: AudioFrame, expected_sec: float) -> float:
        """Return how late a frame is. Without a timestamp, it follows the previous one."""
        clock_sec = frame.time
        return 0.0 if clock_sec is None else clock_sec - self._clock_offset_sec - expected_sec

    def _place(self, frame: AudioFrame) -> Placed:
        late_sec = self._lateness_sec(frame, self.end_sec)
        start_sec = None
        self._gaps_in_row = self._gaps_in_row + 1 if self._tolerance_sec < late_sec <= _SMALL_GAP_SEC else 0
        if abs(late_sec) > self._tolerance_sec and self._lasts(frame):
            start_sec = self._jump(late_sec)
        self._tolerance_sec = TOLERANCE_SEC
        self.end_sec += _length_sec(frame)
        return Placed(frame, start_sec)

    def _place_last(self, frame: AudioFrame, lost_until_sec: float) -> Placed:
        placed = self._place(frame)
        padding_sec = _padding_sec(frame)
        lost_until_sec = min(lost_until_sec - self._clock_offset_sec, self._announced_end_sec)
        lost_sec = lost_until_sec - self.end_sec + padding_sec
        added_sec = lost_sec if lost_sec > TOLERANCE_SEC and self._is_plausible(lost_sec) else 0.0
        if added_sec == padding_sec:
            return placed
        self.end_sec += added_sec - padding_sec
        return placed._replace(end_sec=self.end_sec)

    def _lasts(self, frame: AudioFrame) -> bool:
        """Return whether no waiting frame is back where it would be without the jump."""
        expected_sec = self.end_sec + _length_sec(frame)
        for follower in self._waiting:
            is_timed = follower.time is not None
            if is_timed and abs(self._lateness_sec(follower, expected_sec)) <= self._tolerance_sec:
                return False
            expected_sec += _length_sec(follower)
        return True

    def _jump(self, late_sec: float) -> float | None:
        """Return where the frame starts; None if it stays where it is and the file's clock is adjusted."""
        is_cut = late_sec < 0.0 and self._may_cut(-late_sec)
        is_wrong = self._gaps_in_row > _MAX_GAPS_IN_ROW or (-MAX_OVERLAP_SEC <= late_sec < 0.0 and not is_cut)
        if is_wrong:
            self._faults.is_wrong = True
        elif is_cut or (late_sec > 0.0 and self._is_plausible(late_sec)):
            self._cut_sec += max(0.0, -late_sec)
            self._faults.filled_sec += max(0.0, late_sec)
            self.end_sec += late_sec
            return self.end_sec
        self._faults.n_disbelieved += late_sec > _SLACK_SEC
        self._faults.n_restarts += late_sec < -MAX_OVERLAP_SEC
        self._clock_offset_sec += late_sec
        return None

    def _may_cut(self, overlap_sec: float) -> bool:
        most_sec = _MAX_CUT_SEC + _MAX_CUT_SHARE * self.end_sec
        return overlap_sec <= MAX_OVERLAP_SEC and self._cut_sec + overlap_sec <= most_sec

    def _is_plausible(self, hole_sec: float) -> bool:
        is_padding = abs(self.end_sec - self._announced_end_sec) < START_TOLERANCE_SEC
        if hole_sec <= _SLACK_SEC:
            return not is_padding  # else padding was cut off at the end of a recording, and another one follows
        return hole_sec <= self._max_sec and self.end_sec + hole_sec <= self._announced_end_sec + _SLACK_SEC


def _length_sec(frame: AudioFrame) -> float:
    return frame.samples / frame.sample_rate


def _padding_sec(frame: AudioFrame) -> float:
    """Return how much of the end only fills up the last packet, as AAC requires."""
    if not frame.duration or not frame.time_base:
        return 0.0
    return max(0.0, _length_sec(frame) - float(frame.duration * frame.time_base))
