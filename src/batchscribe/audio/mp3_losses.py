"""How many frames of an MP3 were lost to damage, so that as many silent ones can take their place.

Damage tells only its bytes. If the recording announces its number of frames, the lost ones are those that the rest of
the file does not have. Otherwise they count as being as long as their neighbours, which in a recording of variable bit
rate is an estimate.
"""

from __future__ import annotations

from batchscribe.audio.mp3_walk import NEIGHBOURS, Count, FrameWalk
from batchscribe.audio.mpeg_frame import frame, frame_sizes, is_mid_stream

#: An announced number may make damage so much longer than its bytes do; beyond that, the end is missing too.
_PLAUSIBLE_SHARE, _PLAUSIBLE_FRAMES = 1.5, 2
#: What most encoders put before the sound: the frame with the count, and samples that players skip.
_COUNT_FRAME_BYTES, _SKIPPED_SAMPLES = 190, 1105


class Losses:
    """Those of one recording. `count` is what its first frame says."""

    def __init__(self, count: Count | None) -> None:
        self._n_announced = count.n_frames if count else 0
        self._frames_per_byte: float | None = None  #: of damage, if the announced number tells
        self._is_surveyed = False
        self._n_added = 0
        self._rest = 0.0  #: share of a frame that rounding left out

    def frames_in(self, junk_bytes: int, before: FrameWalk, after: FrameWalk) -> int:
        """How many frames were lost in the junk between two places."""
        if not junk_bytes:
            return 0
        size = _mean_size(before.sizes + _sizes_ahead(after)[:NEIGHBOURS])
        if self._n_announced and not self._is_surveyed:
            self._frames_per_byte, self._is_surveyed = self._surveyed(junk_bytes, size, after), True
        if self._frames_per_byte is not None:
            exact = junk_bytes * self._frames_per_byte + self._rest
            n_lost = round(exact)
            self._rest = exact - n_lost
        else:
            n_lost = 0 if after.is_over() or not size else round(junk_bytes / size)
        self._n_added += n_lost
        return n_lost

    def _surveyed(self, junk_bytes: int, size: float, after: FrameWalk) -> float | None:
        """Frames per byte of junk, by walking to the end of the recording; None where the numbers make no sense."""
        ahead = after.copied()
        while not ahead.is_over():
            if not ahead.frames(is_first=False):
                junk_bytes += ahead.skip()
        n_missing = self._n_announced - (ahead.n_frames - 1) - self._n_added
        most = _PLAUSIBLE_SHARE * junk_bytes / size + _PLAUSIBLE_FRAMES if size else 0.0
        return n_missing / junk_bytes if 0 <= n_missing <= most else None


def frames_before(junk_bytes: int, first: FrameWalk) -> int:
    """How many frames of a recording were lost in the junk before its first intact ones.

    Junk before the true beginning of a recording is no loss. A frame in the middle needs bits of the frames before it,
    and the true first one does not.
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
    return [] if walk.is_over() else frame_sizes(walk.copied().frames(is_first=False))


def _mean_size(sizes: list[int]) -> float:
    return sum(sizes) / len(sizes) if sizes else 0.0
