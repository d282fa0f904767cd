"""Where each decoded frame belongs on the recording's own clock.

Counting samples is not enough: sound may start late, have holes, or lose packets. Believing every timestamp is not
enough either: they are rounded, jitter, run backwards and may be damaged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from av.audio.frame import AudioFrame

#: Timestamps are rounded to their clock, often to milliseconds, and packets that were recorded live jitter.
TOLERANCE_SEC = 0.02
START_TOLERANCE_SEC = 0.001  #: the first timestamp has nothing to jitter against
#: A jump is believed once it has lasted so long; a damaged timestamp stands alone.
LASTING_SEC = 0.25
_MAX_WAITING = 256  #: frames, however short they are
#: Sound that overlaps by up to so much is cut, as players do. Clocks that go back further have been started anew.
MAX_OVERLAP_SEC = 0.5
#: No more than this is ever cut for overlaps. A file whose clock runs slow throughout would lose speech all along.
_MAX_CUT_SEC, _MAX_CUT_SHARE = 1.0, 0.01
#: After so many frames, each with a gap before it, the clock counts as wrong: no recording loses every second packet.
_MAX_GAPS_IN_ROW, _SMALL_GAP_SEC = 25, 0.1
#: Holes may end so much behind the announced end, and short ones need no announcement.
_SLACK_SEC = 1.0


class Placed(NamedTuple):
    """A frame, and where it starts if not right behind the one before it; `end_sec` where it ends, if it is the last
    and does not end with its samples. In seconds from the start of the recording; frames may reach before it.
    """

    frame: AudioFrame
    start_sec: float | None = None
    end_sec: float | None = None


@dataclass
class ClockFaults:
    """What was odd about the timestamps of a recording."""

    n_disbelieved: int = 0  #: jumps that no recording of this length can make
    n_restarts: int = 0  #: jumps back that are no overlap
    filled_sec: float = 0.0  #: silence that was put into gaps
    is_wrong: bool = False  #: gaps or overlaps throughout were not believed


class Timeline:
    """Takes the frames of one track in order, and gives them back with their places."""

    def __init__(
        self,
        origin_sec: float,
        start_sec: float,
        length_sec: float | None,
        max_sec: float,
        faults: ClockFaults | None = None,
    ) -> None:
        """The file's clock shows `origin_sec` where the recording is at `start_sec`. The file announces a length of
        `length_sec`; None where it does not say. What is odd about the clock is added to `faults`.
        """
        self._clock_offset_sec = origin_sec - start_sec
        self._announced_end_sec = inf if length_sec is None else start_sec + length_sec
        self._max_sec = max_sec
        self._waiting: deque[AudioFrame] = deque()
        self._waiting_sec = 0.0
        self.end_sec = start_sec  #: of what has its place
        self._cut_sec = 0.0
        self._tolerance_sec = START_TOLERANCE_SEC
        self._gaps_in_row = 0
        self._faults = faults or ClockFaults()

    def accept(self, frame: AudioFrame) -> Iterator[Placed]:
        """The frames that have their place now. One always waits, since the last frame is special."""
        while self._waiting and self._is_settled(self._waiting[0]):
            yield self._place(self._next())
        self._waiting.append(frame)
        self._waiting_sec += _length_sec(frame)

    def finish(self, lost_until_sec: float) -> Iterator[Placed]:
        """The last frames. Packets that could not be decoded reach until `lost_until_sec` by the file's clock."""
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
        """Without a timestamp a frame follows the one before it."""
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
        """Whether no frame that waits is back where it would be without the jump."""
        expected_sec = self.end_sec + _length_sec(frame)
        for follower in self._waiting:
            is_timed = follower.time is not None
            if is_timed and abs(self._lateness_sec(follower, expected_sec)) <= self._tolerance_sec:
                return False
            expected_sec += _length_sec(follower)
        return True

    def _jump(self, late_sec: float) -> float | None:
        """Where the frame starts; None if it stays where it is and the file's clock is set anew."""
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
            return not is_padding  # else it was cut off at the end of a recording that others follow
        return hole_sec <= self._max_sec and self.end_sec + hole_sec <= self._announced_end_sec + _SLACK_SEC


def _length_sec(frame: AudioFrame) -> float:
    return frame.samples / frame.sample_rate


def _padding_sec(frame: AudioFrame) -> float:
    """How much of the end only fills up the last packet, as AAC has to."""
    if not frame.duration or not frame.time_base:
        return 0.0
    return max(0.0, _length_sec(frame) - float(frame.duration * frame.time_base))
