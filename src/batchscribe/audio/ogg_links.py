"""The links of an Ogg file: recordings that were written one after the other (RFC 3533, section 4).

FFmpeg reads over the border of two links, but fails there if codec, channels or sample rate change. So it gets each
link alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from batchscribe.audio.file_view import SeekableFile, read_at

_PAGE = b"OggS\0"  #: with its version
_HEAD_BYTES, _MAX_SEGMENTS = 27, 255  #: of a page; the lengths of its segments follow its head
_BEGINS_STREAM = 2
#: First bytes of a stream, by codec. With them, a damaged flag is not mistaken for a new link.
_CODECS = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"fLaC", b"Speex   ", b"\x80theora", b"OVP80", b"fishead\0")
_MAX_CODEC_BYTES = 8
_SEARCHED_BYTES = 2**16


class OggLink:
    """One link, read from start to end."""

    def __init__(self, links: OggLinks) -> None:
        self._links = links
        self._rest = b""  #: unread part of the last page

    def read(self, length: int) -> bytes:
        """Read at most `length` bytes; empty at the end of the link."""
        if not self._rest:
            self._rest = self._links.next_page()
        piece, self._rest = self._rest[:length], self._rest[length:]
        return piece


class OggLinks:
    def __init__(self, file: SeekableFile, start: int) -> None:
        self._file = file
        self._position = start
        self._has_content = False  #: the link has a page that is not the first of a stream
        self._codecs: tuple[bytes, ...] = (b"",)  #: that may begin a link: any may begin the first one

    def recordings(self) -> Iterator[OggLink]:
        """Yield the links. What precedes the first one, and what is left of each, is skipped."""
        self._has_content = True
        while self._skip_link():
            self._has_content, self._codecs = False, _CODECS
            yield OggLink(self)
            self._has_content = True

    def next_page(self) -> bytes:
        """Return the next page of the link, or what is between two pages; empty at the end of the link."""
        n_bytes, codec = self._measure_page()
        if codec is not None and codec.startswith(self._codecs) and self._has_content:
            return b""
        self._has_content |= codec is None
        page = read_at(self._file, self._position, n_bytes)
        self._position += len(page)
        return page

    def _skip_link(self) -> bool:
        """Move to the next link, and return whether there is one."""
        while self.next_page():
            continue
        return self._position < self._file.size

    def _measure_page(self) -> tuple[int, bytes | None]:
        """Return the length of a page, and the codec if a stream begins with it. Without a page, up to the next one."""
        head = read_at(self._file, self._position, _HEAD_BYTES + _MAX_SEGMENTS + _MAX_CODEC_BYTES)
        if not head.startswith(_PAGE) or len(head) < _HEAD_BYTES:
            return self._count_junk(), None
        content_at = _HEAD_BYTES + head[26]
        codec = head[content_at:] if head[5] & _BEGINS_STREAM else None
        return content_at + sum(head[_HEAD_BYTES:content_at]), codec

    def _count_junk(self) -> int:
        """Return the number of bytes up to the next page, or some of them."""
        searched = read_at(self._file, self._position, _SEARCHED_BYTES)
        found = searched.find(_PAGE, 1)
        return found if found > 0 else max(1, len(searched) - len(_PAGE) + 1)
