"""Iteration over the frames of an MP3 file, without tags and junk."""

from __future__ import annotations

import copy
import re
from typing import NamedTuple

from batchscribe.audio.file_view import SeekableFile, read_at
from batchscribe.audio.mpeg_frame import HEADER_BYTES, Frame, Stream, frame
from batchscribe.audio.tags import tag_bytes, zero_bytes

#: More contiguous junk than this ends the walk. Tags are not junk.
MAX_JUNK_BYTES = 8 * 2**20
_RUN_BYTES = 2**16
_TAG_COST_BYTES = 1024  #: junk that a tag counts as; no recording has thousands of tags
#: Possible start of frames or of a tag.
_CANDIDATE = re.compile(rb"\xff(?=[\xe2-\xff])|ID3[\x02-\x04]|APETAGEX|LYRICSBEGIN")
_CANDIDATE_BYTES = 11
_TAG_STARTS = (b"ID3", b"APE", b"TAG", b"LYR")
#: Number of consecutive frames needed to accept them, and the number if they differ from the previous frames.
_CONFIRMED, _CONFIRMED_ANEW = 3, 4
#: Marks of a recording's first frame that has no sound but gives the number of frames that follow.
_COUNT_MARK = re.compile(rb"Xing|Info|VBRI")
_COUNT_MARK_AT = range(13, 40)  #: bytes from the start of the frame: after 9 to 32 bytes of side information
_HAS_FRAMES, _HAS_BYTES = 1, 2  #: flags after the mark
_VBRI_FRAMES_AT = 10  #: bytes after the mark
_PADDING_BYTES = 4
NEIGHBORS = 16  #: frames on each side of damage whose sizes are used to estimate the loss


class Count(NamedTuple):
    """The totals that the first frame of a recording gives; 0 if unknown."""

    n_frames: int
    n_bytes: int


class FrameWalk:
    """A position in an MP3 file that moves from frame to frame and from recording to recording."""

    def __init__(self, file: SeekableFile) -> None:
        self._file = file
        self.at = 0
        self._stream: Stream | None = None
        self.header = b""  #: of the last frame
        self.n_frames = 0  #: of this recording so far
        self.sizes: list[int] = []  #: of the last frames, in bytes
        self.is_broken_off = False  #: after too much junk, the rest of the file was not examined

    def copy(self) -> FrameWalk:
        """Return an independent walk from the same position."""
        return copy.copy(self)

    @property
    def rest_bytes(self) -> int:
        return self._file.size - self.at

    def is_over(self) -> bool:
        """Return whether the recording has ended: at the end of the file, or before another recording."""
        if self.rest_bytes <= 0:
            return True
        stream = self._stream_at(self.at)
        if stream is None:
            return False
        is_other = stream != self._stream and self._begins_frames(self.at, may_be_cut=False)
        return is_other or self.count() is not None

    def next_bytes(self, count: int) -> bytes:
        return read_at(self._file, self.at, count)

    def begin(self) -> None:
        """Start the recording whose first frame is next."""
        self._stream = self._stream_at(self.at)
        self.n_frames, self.sizes = 0, []

    def count(self) -> Count | None:
        """Return the totals in the next frame, or None if it is an ordinary frame."""
        first = self.next_bytes(_COUNT_MARK_AT.stop + 16)
        mark = next((mark for mark in _COUNT_MARK.finditer(first) if mark.start() in _COUNT_MARK_AT), None)
        if mark is None:
            return None
        fields = first[mark.end() :].ljust(16, b"\0")
        if mark.group() == b"VBRI":
            return Count(_number(fields, _VBRI_FRAMES_AT), 0)
        flags = fields[3]
        n_frames = _number(fields, 4) if flags & _HAS_FRAMES else 0
        bytes_at = 8 if flags & _HAS_FRAMES else 4
        return Count(n_frames, _number(fields, bytes_at) if flags & _HAS_BYTES else 0)

    def frames(self, *, is_first: bool) -> bytes:
        """Return the frames in the next 64 KiB, up to the start of another recording.

        The last frame of the file may be cut off: FFmpeg can still use it.
        """
        run = read_at(self._file, self.at, _RUN_BYTES)
        marks = [mark.start() for mark in _COUNT_MARK.finditer(run)]
        is_end_of_file = self.at + len(run) >= self._file.size
        end, header = 0, run[:HEADER_BYTES]
        while (found := self._own_frame(header)) is not None:
            following = run[end + found.n_bytes :][:HEADER_BYTES]
            if len(following) < HEADER_BYTES and not is_end_of_file:
                break
            if not is_first and any(mark - end in _COUNT_MARK_AT for mark in marks):
                break
            if not self._is_followed(following) and self._is_odd(found.n_bytes):
                break
            self._pass(header, found)
            end, header, is_first = end + found.n_bytes, following, False
        run = run[:end]
        self.at += len(run)
        return run

    def _own_frame(self, header: bytes) -> Frame | None:
        found = frame(header)
        return found if found is not None and found.stream == self._stream else None

    def _is_followed(self, following: bytes) -> bool:
        """Return whether another frame, a tag or the end of the file follows a frame."""
        is_end = len(following) < HEADER_BYTES
        return is_end or self._own_frame(following) is not None or following.startswith(_TAG_STARTS)

    def _is_odd(self, n_bytes: int) -> bool:
        """Return whether a frame's size differs although the bit rate was constant so far.

        Then its header is damaged and its length is wrong.
        """
        if len(self.sizes) < _CONFIRMED or max(self.sizes) - min(self.sizes) > _PADDING_BYTES:
            return False
        return abs(n_bytes - self.sizes[-1]) > _PADDING_BYTES

    def _pass(self, header: bytes, found: Frame) -> None:
        """Record a frame. The size of the first frame is ignored, because that frame may hold the totals."""
        self.header = header
        if self.n_frames:
            self.sizes = [*self.sizes[1 - NEIGHBORS :], found.n_bytes]
        self.n_frames += 1

    def skip(self, *, may_be_cut: bool = False) -> int:
        """Move to the next frames or to the end of the file, and return the bytes of junk skipped. Tags are not junk.

        `may_be_cut` accepts a frame that is cut off. It is only for the first frame of the file: later, it is junk.
        """
        searched = junk = 0
        while self.at < self._file.size and searched <= MAX_JUNK_BYTES:
            skipped = tag_bytes(self._file, self.at)
            if not skipped and self._begins_frames(self.at, may_be_cut=may_be_cut and junk == 0):
                return junk
            if skipped:
                searched += _TAG_COST_BYTES
            elif skipped := zero_bytes(self._file, self.at, _RUN_BYTES):
                junk += skipped
            else:
                skipped = self._to_candidate(self.at)
                junk, searched = junk + skipped, searched + skipped
            self.at += skipped
        self.is_broken_off |= self.at < self._file.size
        self.at = self._file.size
        return junk

    def _to_candidate(self, at: int) -> int:
        """Return the distance to the next possible start of frames or a tag, or to the end of the searched bytes."""
        piece = read_at(self._file, at + 1, _RUN_BYTES)
        for found in _CANDIDATE.finditer(piece):
            if found.group() != b"\xff" or _may_begin_frames(piece, found.start()):
                return 1 + found.start()
        return max(1, len(piece) - _CANDIDATE_BYTES)

    def _begins_frames(self, at: int, *, may_be_cut: bool) -> bool:
        first = self._frame_at(at)
        if first is None:
            return False
        needed = _CONFIRMED if self._stream in (None, first.stream) else _CONFIRMED_ANEW
        end = at + first.n_bytes
        for _ in range(needed - 1):
            if self._file.size - end < HEADER_BYTES or tag_bytes(self._file, end):
                return may_be_cut or end <= self._file.size
            following = self._frame_at(end)
            if following is None or following.stream != first.stream:
                return False
            end += following.n_bytes
        return True

    def _frame_at(self, at: int) -> Frame | None:
        return frame(read_at(self._file, at, HEADER_BYTES))

    def _stream_at(self, at: int) -> Stream | None:
        found = self._frame_at(at)
        return found.stream if found else None


def _number(fields: bytes, at: int) -> int:
    return int.from_bytes(fields[at : at + 4], "big")


def _may_begin_frames(piece: bytes, at: int) -> bool:
    """Check quickly, because junk may be full of bytes that look like a header."""
    first = frame(piece[at : at + HEADER_BYTES])
    if first is None:
        return False
    following = piece[at + first.n_bytes : at + first.n_bytes + HEADER_BYTES]
    return len(following) < HEADER_BYTES or frame(following) is not None or following[:3] in _TAG_STARTS
