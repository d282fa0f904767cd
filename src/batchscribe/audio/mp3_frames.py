"""The frames of an MP3 file, without whatever else lies before, between and behind them.

FFmpeg takes tags and rubbish for damaged frames, and now and then for sound. So it is given frames only, and one
stream of them for each recording that was appended to the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from batchscribe.audio.file_view import SeekableFile, read_at
from batchscribe.audio.mpeg_frame import HEADER_BYTES, Frame, Stream, frame, silent_frame
from batchscribe.audio.tags import tag_bytes, zero_bytes

#: Other bytes than tags that may follow each other; behind more of them nothing is looked for.
_MAX_RUBBISH_BYTES = 8 * 2**20
_RUN_BYTES = 2**16
_TAG_COST_BYTES = 1024  #: what a tag counts for as rubbish: there are never thousands
_KEPT_BYTES = 2**20
#: A place where frames or a tag may begin.
_CANDIDATE = re.compile(rb"\xff(?=[\xe2-\xff])|ID3[\x02-\x04]|APETAGEX|LYRICSBEGIN")
_CANDIDATE_BYTES = 11
_TAG_STARTS = (b"ID3", b"APE", b"TAG", b"LYR")
#: Frames that must follow each other to be believed, and more where they differ from those before.
_CONFIRMED, _CONFIRMED_ANEW = 3, 4
#: Marks of the frame that says how many follow. It is a recording's first, and holds no sound.
_COUNT_MARK = re.compile(rb"Xing|Info|VBRI")
_SAYS_FRAMES, _SAYS_BYTES = 1, 2  #: flags behind the mark
_COUNT_MARK_AT = range(13, 40)  #: bytes from the start of its frame: behind 9 to 32 bytes of side information


class Mp3Recording:
    """One recording of the file, to be read from front to back. Only its beginning is kept for going back there.

    It can seek because FFmpeg asks only such files for their size, and without it does not believe the count of
    frames, by which it cuts off the padding at the end.
    """

    def __init__(self, frames: Mp3Frames, size: int) -> None:
        self._frames = frames
        self._size = size  #: as announced, or the most that it can be
        self._kept = b""
        self._position = 0
        self._rest = b""  #: of the last run, not yet given out
        self._is_begun = False
        self.is_counted = frames.is_count_next()

    def read(self, length: int) -> bytes:
        """Empty at its end."""
        piece = self._kept[self._position : self._position + length] or self._next(length)
        self._position += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """-1 where it cannot go: an exception would have to pass through FFmpeg."""
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


class _Found(NamedTuple):
    at: int
    rubbish_bytes: int  #: before it that are no tag


class Mp3Frames:
    """Frames that were damaged beyond recognition are replaced by as much silence, so that times stay right."""

    def __init__(self, file: SeekableFile) -> None:
        self._file = file
        self._at = 0
        self._stream: Stream | None = None
        self._last_header = b""
        self._silent_left = 0  #: frames of silence that come before the next ones of the file
        self.n_lost = 0  #: frames replaced by silence
        self.is_broken_off = False  #: the rest of the file was not looked at

    def recordings(self) -> Iterator[Mp3Recording]:
        """Each must be read to its end before the next."""
        found = self._search(may_be_cut=True)
        while found is not None:
            self._at, self._stream = found.at, self._stream_at(found.at)
            yield Mp3Recording(self, self._announced_bytes() or self._file.size - found.at)
            found = self._search()

    def is_count_next(self) -> bool:
        """Whether the next frame holds no sound, but says how many follow."""
        first = read_at(self._file, self._at, _COUNT_MARK_AT.stop + 4)
        return any(mark.start() in _COUNT_MARK_AT for mark in _COUNT_MARK.finditer(first))

    def _announced_bytes(self) -> int:
        """By the frame that counts the others, if it says so."""
        first = read_at(self._file, self._at, _COUNT_MARK_AT.stop + 16)
        mark = next((mark for mark in _COUNT_MARK.finditer(first) if mark.start() in _COUNT_MARK_AT), None)
        if mark is None or mark.group() == b"VBRI" or not first[mark.end() + 3] & _SAYS_BYTES:
            return 0
        at = mark.end() + (8 if first[mark.end() + 3] & _SAYS_FRAMES else 4)
        return int.from_bytes(first[at : at + 4], "big")

    def next_run(self, *, is_first: bool) -> bytes:
        """The next frames of the recording; empty where it ends."""
        if self._silent_left:
            return self._silence()
        run = self._frames_at_hand(is_first=is_first)
        if run or self._is_other_recording_next():
            return run
        found = self._search()
        self._at = found.at if found else self._file.size
        if found is None or self._is_other_recording_next():
            return b""
        if found.rubbish_bytes:
            self._lose(found.rubbish_bytes)
            return self._silence()
        return self._frames_at_hand(is_first=False)

    def _is_other_recording_next(self) -> bool:
        stream = self._stream_at(self._at)
        return stream is not None and (stream != self._stream or self.is_count_next())

    def _frames_at_hand(self, *, is_first: bool) -> bytes:
        """The frames in the next 64 KiB, up to one with which another recording begins.

        The last of the file may be cut off: FFmpeg makes something of it.
        """
        run = read_at(self._file, self._at, _RUN_BYTES)
        marks = [mark.start() for mark in _COUNT_MARK.finditer(run)]
        end = 0
        while (found := frame(run[end : end + HEADER_BYTES])) is not None and found.stream == self._stream:
            is_cut = end + found.n_bytes > len(run)
            if is_cut and self._at + len(run) < self._file.size:
                break
            if not is_first and any(mark - end in _COUNT_MARK_AT for mark in marks):
                break
            self._last_header = run[end : end + HEADER_BYTES]
            end += found.n_bytes
            is_first = False
        self._at += min(end, len(run))
        return run[:end]

    def _lose(self, rubbish_bytes: int) -> None:
        last = frame(self._last_header)
        self._silent_left = max(1, round(rubbish_bytes / last.n_bytes)) if last else 0
        self.n_lost += self._silent_left

    def _silence(self) -> bytes:
        last = frame(self._last_header)
        if last is None:
            return b""
        count = min(self._silent_left, _RUN_BYTES // last.n_bytes)
        self._silent_left -= count
        return silent_frame(self._last_header, last.n_bytes) * count

    def _search(self, *, may_be_cut: bool = False) -> _Found | None:
        """The next frames. Only the first of the file `may_be_cut` off: behind others, that would be rubbish."""
        at, searched, rubbish = self._at, 0, 0
        while at < self._file.size:
            skipped = tag_bytes(self._file, at)
            if not skipped and self._begins_frames(at, may_be_cut=may_be_cut and rubbish == 0):
                return _Found(at, rubbish)
            if skipped:
                at, searched = at + skipped, searched + _TAG_COST_BYTES
            elif zeros := zero_bytes(self._file, at, _RUN_BYTES):
                at, rubbish = at + zeros, rubbish + zeros
            else:
                step = self._to_candidate(at)
                at, rubbish, searched = at + step, rubbish + step, searched + step
            if searched > _MAX_RUBBISH_BYTES:
                self.is_broken_off = True
                return None
        return None

    def _to_candidate(self, at: int) -> int:
        """How far it is to where something may begin, or to the end of what was searched."""
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


def _may_begin_frames(piece: bytes, at: int) -> bool:
    """A quick look, as rubbish may be full of bytes that look like a header."""
    first = frame(piece[at : at + HEADER_BYTES])
    if first is None:
        return False
    following = piece[at + first.n_bytes : at + first.n_bytes + HEADER_BYTES]
    return len(following) < HEADER_BYTES or frame(following) is not None or following[:3] in _TAG_STARTS
