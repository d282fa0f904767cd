"""The chunks of a WAV file: RIFF with 32-bit sizes (also RF64 and BW64), and Sony's Wave64 with 64-bit sizes."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from batchscribe.audio.file_view import SeekableFile, read_at

#: A file may have thousands of chunks. A hostile file puts each into a different block, which must be fetched.
MAX_CHUNKS = 500
#: Names that distinguish a chunk from other bytes to which a wrong size may point.
KNOWN_NAMES = frozenset(
    (
        b"data", b"fmt ", b"ds64", b"fact", b"LIST", b"list", b"JUNK", b"junk", b"PAD ", b"FLLR", b"bext", b"iXML",
        b"axml", b"aXML", b"chna", b"cart", b"cue ", b"plst", b"smpl", b"inst", b"labl", b"note", b"ltxt", b"id3 ",
        b"ID3 ", b"_PMX", b"PEAK", b"DISP", b"acid", b"strc", b"levl", b"umid", b"MD5 ", b"SAUR", b"LGWV", b"minf",
        b"elm1", b"regn", b"link", b"ResU", b"SyLp", b"Cr8r", b"DGDA", b"tlst", b"r64m", b"dbmd", b"afsp", b"slnt",
    )
)  # fmt: skip
#: The rest of a Wave64 name after its first four letters, for all chunks except `riff` and `LIST`.
W64_SUFFIX = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
_TAIL_BYTES = 2**20  #: length of the end of the file that is searched for closing chunks
_MAX_PADDING_BYTES = 2**15
_TAIL_NAMES = re.compile(b"|".join(re.escape(name) for name in sorted(KNOWN_NAMES - {b"data", b"fmt ", b"ds64"})))


class Dialect(NamedTuple):
    """The encoding of chunks."""

    header: struct.Struct  #: name and size
    size_counts_header: bool
    alignment: int  #: bytes
    first_offset: int  #: where the first chunk begins


RIFF = Dialect(struct.Struct("<4sI"), size_counts_header=False, alignment=2, first_offset=12)
RIFX = RIFF._replace(header=struct.Struct(">4sI"))
WAVE64 = Dialect(struct.Struct("<16sQ"), size_counts_header=True, alignment=8, first_offset=40)


class Chunk(NamedTuple):
    name: bytes  #: four letters
    start: int  #: of its content
    n_bytes: int  #: of its content, as announced

    @property
    def end(self) -> int:
        return self.start + self.n_bytes


def chunk_at(file: SeekableFile, dialect: Dialect, offset: int) -> Chunk | None:
    header = read_at(file, offset, dialect.header.size)
    if len(header) < dialect.header.size:
        return None
    name, n_bytes = dialect.header.unpack(header)
    if dialect.size_counts_header:
        n_bytes = max(0, n_bytes - len(header))
        if name[4:] != W64_SUFFIX:
            name = b"LIST" if name.startswith(b"LIST") else b"\0" * 4
    return Chunk(name[:4], offset + len(header), n_bytes)


def chunks(file: SeekableFile, dialect: Dialect) -> Iterator[Chunk]:
    """Yield all chunks in order, as far as their sizes lead; the last may extend beyond the end of the file."""
    offset = dialect.first_offset
    for _ in range(MAX_CHUNKS):
        chunk = chunk_at(file, dialect, offset)
        if chunk is None:
            return
        yield chunk
        offset = _next_offset(file, dialect, chunk)


def chunks_behind(file: SeekableFile, dialect: Dialect, end: int) -> Iterator[Chunk]:
    """Yield the chunks after samples that end at `end`, whether the writer padded them or not."""
    offsets = [end + padding for padding in _paddings(dialect, end)]
    first = next((offset for offset in offsets if _is_known(file, dialect, offset)), end)
    return chunks(file, dialect._replace(first_offset=first))


def is_end_of_samples(file: SeekableFile, dialect: Dialect, offset: int) -> bool:
    """Return whether only chunks follow: up to the end of the file, or to where it was cut off."""
    paddings = _paddings(dialect, offset)
    return any(_leads_to_end(file, dialect, offset + padding, may_be_cut=True) for padding in paddings)


def _paddings(dialect: Dialect, offset: int) -> list[int]:
    """Return the possible numbers of padding bytes after samples that end at `offset`."""
    return sorted({0, -offset % dialect.alignment, 1 if dialect.alignment == 2 else 0})


def closing_chunks(file: SeekableFile, dialect: Dialect, start: int) -> int:
    """Return where the closing chunks of the file begin, if the end of the samples before them is unknown.

    Returns the end of the file if there are none. Samples look like a chunk with a known name that ends exactly at the
    end of the file in less than one of 2^50 files.
    """
    tail_start = max(start, file.size - _TAIL_BYTES)
    tail = read_at(file, tail_start, file.size - tail_start)
    for _, match in zip(range(MAX_CHUNKS), _TAIL_NAMES.finditer(tail), strict=False):
        if _leads_to_end(file, dialect, tail_start + match.start(), may_be_cut=False):
            return tail_start + match.start()
    return file.size


def _leads_to_end(file: SeekableFile, dialect: Dialect, offset: int, *, may_be_cut: bool) -> bool:
    for _ in range(MAX_CHUNKS):
        if file.size - offset < dialect.header.size:
            return True
        chunk = chunk_at(file, dialect, offset)
        if chunk is None or not all(0x20 <= letter < 0x7F for letter in chunk.name):
            return _is_padding(file, offset)
        if chunk.end > file.size + 1:
            return may_be_cut and chunk.name in KNOWN_NAMES
        offset = _next_offset(file, dialect, chunk)
    return True


def _is_padding(file: SeekableFile, offset: int) -> bool:
    """Return whether only zeros follow up to the end of the file, too few to be a relevant pause."""
    n_bytes = file.size - offset
    return n_bytes <= _MAX_PADDING_BYTES and not read_at(file, offset, n_bytes).strip(b"\0")


def _next_offset(file: SeekableFile, dialect: Dialect, chunk: Chunk) -> int:
    """Return the offset after the padding, which some writers omit after chunks of an odd size."""
    padded = chunk.end + -chunk.n_bytes % dialect.alignment
    if padded != chunk.end and not _is_known(file, dialect, padded) and _is_known(file, dialect, chunk.end):
        return chunk.end
    return padded


def _is_known(file: SeekableFile, dialect: Dialect, offset: int) -> bool:
    chunk = chunk_at(file, dialect, offset)
    return chunk is not None and chunk.name in KNOWN_NAMES
