"""The location of the samples in a WAV file. Many headers are wrong, so the contents of the file decide.

Sizes wrap at 4 GiB, are 0 or a placeholder until the recorder ends, or are outdated because it crashed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from batchscribe.audio.decode_limits import SAMPLE_RATES
from batchscribe.audio.file_view import FileView, SeekableFile, read_at
from batchscribe.audio.findings import Finding, refusal
from batchscribe.audio.wav_chunks import (
    RIFF,
    RIFX,
    WAVE64,
    Chunk,
    Dialect,
    chunk_at,
    chunks,
    chunks_behind,
    closing_chunks,
    is_end_of_samples,
)
from batchscribe.audio.wav_containers import fit_form
from batchscribe.audio.wav_form import WavForm, au_header, has_frame_headers

_DIALECTS = {b"RIFF": RIFF, b"RF64": RIFF, b"BW64": RIFF, b"RIFX": RIFX, b"riff": WAVE64}
_MAX_FORM_BYTES = 4096
_SEARCHED_BYTES = 2**16  #: for chunks that the sizes of the previous chunks do not lead to
#: Sizes from writers that do not know the size: 0x7FFFF000, 0x80000000, 0xFFFFFFFF and nearby values.
_PLACEHOLDERS = (range(0x7FFF_0000, 0x8001_0000), range(0xFFFF_0000, 0x1_0000_0000))
_WRAP_BYTES = 2**32
_MAX_WRAPS = 64  #: 256 GiB
_MAX_SIZE = 2**62  #: larger 64-bit sizes are placeholders too
MAX_PARTS = 500  #: `data` chunks of one file


class WavSamples(NamedTuple):
    """The samples of one `data` chunk: their form, the bytes `start` to `end` of the file, and the announced size."""

    form: WavForm
    start: int
    end: int
    announced_bytes: int | None  #: None if the writer did not know it
    dialect: Dialect

    @property
    def is_big_endian(self) -> bool:
        return self.dialect.header is RIFX.header

    @property
    def held_bytes(self) -> int:
        return self.end - self.start

    @property
    def believed_bytes(self) -> int:
        """The expected size: the announced one, or the one in the file if that is larger; 0 if there are no samples."""
        return max(self.held_bytes, self.announced_bytes or 0) if self.held_bytes else 0

    def view(self, file: SeekableFile) -> FileView:
        """Return a WAV with a correct header and without other chunks."""
        au = au_header(self.form) if self.is_big_endian else None
        return FileView(file, self.start, self.end, au or self._riff_header())

    def _riff_header(self) -> bytes:
        form = self.form.content + b"\0" * (len(self.form.content) % 2)
        n_bytes = self.end - self.start
        data_bytes = n_bytes if n_bytes < _PLACEHOLDERS[-1].start else 0xFFFF_FFFF  # FFmpeg then reads to the end
        riff_bytes = min(20 + len(form) + n_bytes, 0xFFFF_FFFF)
        head = struct.pack("<4sI4s4sI", b"RIFF", riff_bytes, b"WAVE", b"fmt ", len(self.form.content)) + form
        return head + struct.pack("<4sI", b"data", data_bytes)


def find_wavs(file: SeekableFile, start: int) -> list[WavSamples]:
    """Return all samples of a file that begins at `start`, up to `MAX_PARTS`.

    Usually there is one `data` chunk. Some recorders begin another after each pause, and whole files may be appended to
    each other. Raises `CorruptMedia` and `UnsupportedMedia`.
    """
    found = [_check(file, wav_samples(file, start))]
    while len(found) < MAX_PARTS:
        following = _next_data(file, found[-1]) or _find_appended(file, found[-1].end)
        if following is None:
            break
        found.append(_check(file, following))
    return found


def _next_data(file: SeekableFile, before: WavSamples) -> WavSamples | None:
    """Return the next `data` chunk of the same WAV; another `fmt ` chunk may precede it."""
    form: WavForm | None = None
    for chunk in chunks_behind(file, before.dialect, before.end):
        if chunk.name in _DIALECTS:
            return None
        if chunk.name == b"fmt ":
            form = _form(file, before.dialect, chunk)
        if chunk.name == b"data":
            announced = _announced_bytes(file, chunk, None)
            is_unknown = announced is None
            end = closing_chunks(file, before.dialect, chunk.start) if is_unknown else min(chunk.end, file.size)
            fitting = before.form if form is None else fit_form(file, form, chunk.start, end)
            return WavSamples(fitting, chunk.start, end, announced, before.dialect)
    return None


def _form(file: SeekableFile, dialect: Dialect, chunk: Chunk) -> WavForm | None:
    content = read_at(file, chunk.start, min(chunk.n_bytes, _MAX_FORM_BYTES))
    return WavForm.parse(content, big_endian=dialect.header is RIFX.header)


def _find_appended(file: SeekableFile, end: int) -> WavSamples | None:
    """Return the samples of another WAV after this one."""
    begins_at = _appended_at(file, end)
    return None if begins_at is None else wav_samples(file, begins_at)


def _check(file: SeekableFile, samples: WavSamples | None) -> WavSamples:
    if samples is None:
        raise refusal(Finding.STRUCTURE_DAMAGED, format="WAV")
    if samples.form.is_aac and not has_frame_headers(read_at(file, samples.start, 2)):
        raise refusal(Finding.BARE_AAC_IN_WAV)
    if samples.form.sample_rate not in SAMPLE_RATES:
        raise refusal(Finding.WAV_RATE_IMPOSSIBLE, rate=samples.form.sample_rate)
    return samples


def _appended_at(file: SeekableFile, end: int) -> int | None:
    """Return where another WAV begins after the samples and chunks of one."""
    for chunk in chunks(file, RIFF._replace(first_offset=end)):
        begins_at = chunk.start - RIFF.header.size
        if _is_wav(read_at(file, begins_at, 12)):
            return begins_at
        if _is_wav(read_at(file, begins_at + 1, 12)):  # after the padding of an odd number of bytes
            return begins_at + 1
        if chunk.end > file.size:
            break
    return None


def _is_wav(head: bytes) -> bool:
    return head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE"


def wav_samples(file: SeekableFile, begins_at: int = 0) -> WavSamples | None:
    """Return the samples of the WAV at `begins_at`; None if neither sizes nor a search lead to a format and samples."""
    head = read_at(file, begins_at, 4)
    dialect = _DIALECTS.get(head)
    if dialect is None:
        return None
    dialect = dialect._replace(first_offset=begins_at + dialect.first_offset)
    found: dict[bytes, Chunk] = {}
    for chunk in chunks(file, dialect):
        found.setdefault(chunk.name, chunk)
        if b"fmt " in found and b"data" in found:
            break
    fmt = found.get(b"fmt ") or _search_chunk(file, dialect, b"fmt ", dialect.first_offset)
    if fmt is None:
        return None
    form = _form(file, dialect, fmt)
    data = found.get(b"data") or _search_chunk(file, dialect, b"data", fmt.start)
    if form is None or data is None:
        return None
    announced = _announced_bytes(file, data, found.get(b"ds64") if head in (b"RF64", b"BW64") else None)
    can_wrap = head in (b"RIFF", b"RIFX")
    end = _end(file, dialect, data.start, announced, can_wrap=can_wrap)
    return WavSamples(fit_form(file, form, data.start, end), data.start, end, announced, dialect)


def _search_chunk(file: SeekableFile, dialect: Dialect, name: bytes, start: int) -> Chunk | None:
    """Search for a chunk that the sizes of the previous chunks do not lead to."""
    at = read_at(file, start, _SEARCHED_BYTES).find(name)
    return chunk_at(file, dialect, start + at) if at >= 0 else None


def _announced_bytes(file: SeekableFile, data: Chunk, ds64: Chunk | None) -> int | None:
    """Return the announced size; None if the writer did not know it. RF64 has a separate chunk for larger sizes."""
    n_bytes = data.n_bytes
    if ds64 is not None and n_bytes == _WRAP_BYTES - 1:
        sizes = read_at(file, ds64.start + 8, 8)
        n_bytes = struct.unpack("<Q", sizes)[0] if len(sizes) == 8 else 0
        return n_bytes if 0 < n_bytes < _MAX_SIZE else None
    is_placeholder = n_bytes >= _MAX_SIZE or any(n_bytes in placeholders for placeholders in _PLACEHOLDERS)
    return None if is_placeholder and n_bytes > file.size - data.start else n_bytes


def _end(file: SeekableFile, dialect: Dialect, start: int, announced: int | None, *, can_wrap: bool) -> int:
    """Return where the samples end: at the announced size if only chunks follow, else as late in the file as possible.

    If samples follow the announced size, the size was never written or it wrapped at 4 GiB.
    """
    held = file.size - start
    if announced is not None and announced > held:
        return file.size
    for size in _possible_sizes(announced, held, can_wrap=can_wrap):
        if is_end_of_samples(file, dialect, start + size) or _appended_at(file, start + size) is not None:
            return start + size
    return closing_chunks(file, dialect, start)


def _possible_sizes(announced: int | None, held: int, *, can_wrap: bool) -> Iterator[int]:
    if announced is not None:
        yield from range(announced, held + 1, _WRAP_BYTES)[: _MAX_WRAPS if can_wrap else 1]
