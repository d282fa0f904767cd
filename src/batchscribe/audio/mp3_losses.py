"""The number of MP3 frames lost to damage, so that as many silent frames can replace them.

Only the number of damaged bytes is known. If the recording announces its number of frames, the lost ones are those that
the rest of the file does not have. Otherwise they are assumed to be as long as their neighbors, which is an estimate
if the bit rate is variable.
"""

from __future__ import annotations

from batchscribe.audio.mp3_walk import NEIGHBORS, Count, FrameWalk
from batchscribe.audio.mpeg_frame import frame, frame_sizes, is_mid_stream

#: The announced number may exceed the estimate from the damaged bytes by this factor and this many frames. Beyond that,
#: the end is missing too.
_PLAUSIBLE_SHARE, _PLAUSIBLE_FRAMES = 1.5, 2
#: Most encoders put these before the sound: the frame with the count, and samples that players skip.
_COUNT_FRAME_BYTES, _SKIPPED_SAMPLES = 190, 1105


class Losses:
    """The lost frames of one recording. `count` has the totals from its first frame."""

    def __init__(self, count: Count | None) -> None:
        self._n_announced = count.n_frames if count else 0
        self._frames_per_byte: float | None = None  #: of damage, if the announced number is usable
        self._is_surveyed = False
        self._n_added = 0
        self._rest = 0.0  #: share of a frame that rounding omitted

    def frames_in(self, junk_bytes: int, before: FrameWalk, after: FrameWalk) -> int:
        """Return the number of frames lost in the junk between two positions."""
        if not junk_bytes:
            return 0
        size = _mean_size(before.sizes + _sizes_ahead(after)[:NEIGHBORS])
        if self._n_announced and not self._is_surveyed:
            self._frames_per_byte, self._is_surveyed = self._survey(junk_bytes, size, after), True
        if self._frames_per_byte is not None:
            exact = junk_bytes * self._frames_per_byte + self._rest
            n_lost = round(exact)
            self._rest = exact - n_lost
        else:
            n_lost = 0 if after.is_over() or not size else round(junk_bytes / size)
        self._n_added += n_lost
        return n_lost

    def _survey(self, junk_bytes: int, size: float, after: FrameWalk) -> float | None:
        """Walk to the end of the recording and return the frames per byte of junk; None if that is implausible."""
        ahead = after.copy()
        while not ahead.is_over():
            if not ahead.frames(is_first=False):
                junk_bytes += ahead.skip()
        n_missing = self._n_announced - (ahead.n_frames - 1) - self._n_added
        most = _PLAUSIBLE_SHARE * junk_bytes / size + _PLAUSIBLE_FRAMES if size else 0.0
        return n_missing / junk_bytes if 0 <= n_missing <= most else None


def frames_before(junk_bytes: int, first: FrameWalk) -> int:
    """Return the number of frames of a recording lost in the junk before its first intact frames.

    Junk before the true beginning of a recording is no loss. A frame in the middle needs bits of earlier frames; the
    true first frame does not.
    """
    sizes = _sizes_ahead(first)
    begins_here = first.count() is not None or not is_mid_stream(first.next_bytes(_COUNT_FRAME_BYTES))
    if not junk_bytes or not sizes or begins_here:
        return 0
    found = frame(first.next_bytes(4))
    skipped = _SKIPPED_SAMPLES / found.stream.frame_samples if found else 0.0
    size = _mean_size(sizes)
    return max(0, round((junk_bytes - max(size, _COUNT_FRAME_BYTES)) / size - skipped))


def _sizes_ahead(walk: FrameWalk) -> list[int]:
    return [] if walk.is_over() else frame_sizes(walk.copy().frames(is_first=False))


def _mean_size(sizes: list[int]) -> float:
    return sum(sizes) / len(sizes) if sizes else 0.0
