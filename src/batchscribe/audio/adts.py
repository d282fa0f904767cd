"""The start of bare AAC: frames that begin with an ADTS header each (ISO/IEC 13818-7, 6.2), and no signature."""

from __future__ import annotations

import re

from batchscribe.audio.file_view import SeekableFile, read_at

_HEADER_BYTES = 7
_SYNC = re.compile(rb"(?=\xff[\xf0\xf1\xf8\xf9])")
#: Frames that must follow each other. Behind junk more, because random bytes look like a header every 16,000 bytes.
_FRAMES, _FRAMES_BEHIND_JUNK = 3, 5
_LAST_RATE = 12  #: of the table of sample rates


def begins_adts(file: SeekableFile, offset: int) -> bool:
    """Return whether frames follow each other from `offset` on, perhaps only one up to the end of the file."""
    return _end_of_frames(file, offset, _FRAMES) is not None


def find_adts(file: SeekableFile, start: int, most_bytes: int) -> int | None:
    """Return the offset of the first frame: a recording of a stream may begin in the middle of one."""
    for match in _SYNC.finditer(read_at(file, start, most_bytes)):
        end = _end_of_frames(file, start + match.start(), _FRAMES_BEHIND_JUNK)
        if end is not None and end < file.size:
            return start + match.start()
    return None


def _end_of_frames(file: SeekableFile, offset: int, count: int) -> int | None:
    """Return where `count` frames end, or those up to the end of the file. None if anything else is between them."""
    first = header = read_at(file, offset, _HEADER_BYTES)
    for _ in range(count):
        length = _frame_bytes(header)
        if not length or _form(header) != _form(first):
            return None
        offset += length
        if offset >= file.size:
            break
        header = read_at(file, offset, _HEADER_BYTES)
    return offset


def _frame_bytes(header: bytes) -> int:
    """Return the length of a frame with its header; 0 if the bytes are not a header."""
    is_header = len(header) == _HEADER_BYTES and header[0] == 0xFF and header[1] & 0xF6 == 0xF0
    if not is_header or header[2] >> 2 & 0xF > _LAST_RATE:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length >= _HEADER_BYTES else 0


def _form(header: bytes) -> tuple[int, int, int]:
    """Return what all frames have in common: version, profile, sample rate, channels."""
    return header[1] & 0xFE, header[2] & 0xFD, header[3] & 0xC0
