"""The frames of an MP3 file, without anything else before, between and after them.

FFmpeg takes tags and junk for damaged frames, and sometimes for sound. So it gets only frames, in one stream for each
recording in the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from batchscribe.audio.file_view import SeekableFile
from batchscribe.audio.mp3_losses import Losses, frames_before
from batchscribe.audio.mp3_walk import FrameWalk
from batchscribe.audio.mpeg_frame import HEADER_BYTES, frame, silent_frame

_RUN_BYTES = 2**16
_KEPT_BYTES = 2**20


class Mp3Recording:
    """One recording of the file, read from start to end. Only its beginning is kept for seeking back.

    It is seekable because FFmpeg asks only seekable files for their size. Without the size, FFmpeg ignores the count of
    frames, which it needs to cut off the padding at the end.
    """

    def __init__(self, frames: Mp3Frames, size: int) -> None:
        self._frames = frames
        self._size = size  #: announced size, or the largest possible
        self._kept = b""
        self._position = 0
        self._rest = b""  #: unread part of the last run
        self._is_begun = False
        self.is_counted = frames.is_counted

    def read(self, length: int) -> bytes:
        """Read at most `length` bytes; empty at the end of the recording."""
        piece = self._kept[self._position : self._position + length] or self._next(length)
        self._position += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position. Returns -1 if that is impossible: an exception would pass through FFmpeg."""
        if whence == os.SEEK_END:
            return self._size + offset
        target = offset if whence == os.SEEK_SET else self._position + offset
        if target != self._position and not (self._is_all_kept and 0 <= target <= len(self._kept)):
            return -1
        self._position = target
        return target

    def tell(self) -> int:
        return self._position

    @property
    def _is_all_kept(self) -> bool:
        return len(self._kept) < _KEPT_BYTES

    def _next(self, length: int) -> bytes:
        if not self._rest:
            self._rest = self._frames.next_run(is_first=not self._is_begun)
            self._is_begun = True
        piece, self._rest = self._rest[:length], self._rest[length:]
        if self._is_all_kept:
            self._kept += piece
        return piece


class Mp3Frames:
    """The recordings of an MP3 file. Silent frames replace unrecognizable ones, so times stay right."""

    def __init__(self, file: SeekableFile) -> None:
        self._walk = FrameWalk(file)
        self._losses = Losses(None)
        self._silent_left = 0  #: silent frames to insert before the next frames of the file
        self.is_counted = False  #: the recording begins with a frame that gives the totals
        self.n_lost = 0  #: frames replaced by silent ones

    @property
    def is_broken_off(self) -> bool:
        """Whether the rest of the file was not examined."""
        return self._walk.is_broken_off

    def recordings(self) -> Iterator[Mp3Recording]:
        """Yield the recordings; each must be read to its end before the next."""
        junk_bytes = self._walk.skip(may_be_cut=True)
        while self._walk.rest_bytes > 0:
            count = self._walk.count()
            self._walk.begin()
            self._losses = Losses(count)
            self.is_counted = count is not None
            if junk_bytes:
                self._lose(frames_before(junk_bytes, self._walk))
            yield Mp3Recording(self, (count and count.n_bytes) or self._walk.rest_bytes)
            junk_bytes = 0
            self._walk.skip()

    def next_run(self, *, is_first: bool) -> bytes:
        """Return the next frames of the recording; empty at its end."""
        if silence := self._silence():
            return silence
        run = self._walk.frames(is_first=is_first)
        if run or self._walk.is_over():
            return run
        before = self._walk.copy()
        junk_bytes = self._walk.skip()
        self._lose(self._losses.frames_in(junk_bytes, before, self._walk))
        return self._silence() or (b"" if self._walk.is_over() else self._walk.frames(is_first=False))

    def _lose(self, n_frames: int) -> None:
        self._silent_left = n_frames
        self.n_lost += n_frames

    def _silence(self) -> bytes:
        """Return some of the silent frames to insert."""
        header = self._walk.header or self._walk.next_bytes(HEADER_BYTES)
        like = frame(header)
        if like is None:
            return b""
        count = min(self._silent_left, _RUN_BYTES // like.n_bytes)
        self._silent_left -= count
        return silent_frame(header, like.n_bytes) * count
