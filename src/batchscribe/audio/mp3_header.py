"""Whether an MP3 says how long it is; where it does not, FFmpeg guesses from the first bit rate."""

from __future__ import annotations

from batchscribe.audio.remote_file import RemoteFile

_ID3_HEADER_BYTES = 10
_SEARCHED_BYTES = 256  #: the mark lies within the first frame, behind at most 36 bytes of side information
_MARKS = (b"Xing", b"Info", b"VBRI")


def counts_its_frames(file: RemoteFile) -> bool:
    file.seek(0)
    file.seek(_id3_bytes(file.read(_ID3_HEADER_BYTES)))
    frame = file.read(_SEARCHED_BYTES)
    return any(mark in frame for mark in _MARKS)


def _id3_bytes(head: bytes) -> int:
    """Length of the ID3v2 tag in front of the audio (id3.org: four times seven bits)."""
    if not head.startswith(b"ID3") or len(head) < _ID3_HEADER_BYTES:
        return 0
    size = 0
    for part in head[6:_ID3_HEADER_BYTES]:
        size = size << 7 | part & 0x7F
    return size + _ID3_HEADER_BYTES
