"""Detection of the format from the first bytes of a file, before a demuxer reads it.

FFmpeg opens playlists and the files that they name. So a file is refused unless it begins like an accepted container.
The file name is ignored.
"""

from __future__ import annotations

from collections.abc import Collection

from batchscribe.audio.adts import begins_adts, find_adts
from batchscribe.audio.file_view import FileView, SeekableFile, read_at
from batchscribe.audio.findings import Finding, Looks, refusal
from batchscribe.audio.mp3_frames import Mp3Frames
from batchscribe.audio.tags import tag_bytes, zero_bytes
from batchscribe.input_formats import TITLES

#: Number of bytes that are searched for the start of a recording.
HEAD_BYTES = 4096
#: FFmpeg demuxers for each input format; the whitelist for opening a file.
DEMUXERS = {
    "wav": "wav,au,mp3",  # AU is for RIFX samples, see `au_header`; a WAV may contain MP3
    "mp3": "mp3",
    "m4a": "mov,mp4,m4a,3gp,3g2,mj2",
    "flac": "flac",
    "ogg": "ogg",
    "webm": "matroska,webm",
    "aac": "aac",
}
#: Of formats that FFmpeg need not detect. It sees something else in a few frames of AAC.
CERTAIN_DEMUXERS = {"webm": "matroska", "aac": "aac"}
WAV_HEADS = (b"RIFF", b"RF64", b"BW64", b"RIFX")
W64_HEAD = b"riff\x2e\x91\xcf\x11"
EBML_HEAD = b"\x1a\x45\xdf\xa3"
MP4_BOXES = (b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_MAX_LEADS = 1000  #: tags and runs of zeros before a recording
_LEAD_ZEROS_BYTES = 2**16
_SEARCHED_BYTES = 2**16
#: First bytes of other files that are submitted as recordings.
STRANGERS = {
    b"#EXTM3U": Looks.PLAYLIST,
    b"ffconcat": Looks.PLAYLIST,
    b"[playlist]": Looks.PLAYLIST,
    b"<": Looks.PAGE,
    b"%PDF": Looks.PDF,
    b"PK\x03\x04": Looks.ZIP,
    b"\x1f\x8b": Looks.GZIP,
    b"\x30\x26\xb2\x75": Looks.WMA,
    b"FORM": Looks.AIFF,
    b"#!AMR": Looks.AMR,
    b"caff": Looks.CAF,
}


def check_format(file: SeekableFile, input_formats: Collection[str]) -> tuple[str, int]:
    """Return the format and its offset in the file, because a tag may precede it. `input_formats` are accepted.

    Raises `UnsupportedMedia`, which reports what the file looks like instead.
    """
    found, start = _find_format(file)
    if found is None:
        raise refusal(Finding.NOT_A_RECORDING, looks=_looks_like(read_at(file, 0, HEAD_BYTES)))
    if found not in input_formats:
        raise refusal(Finding.FORMAT_NOT_ALLOWED, format=TITLES[found])
    return found, start


def _find_format(file: SeekableFile) -> tuple[str | None, int]:
    at = 0
    for _ in range(_MAX_LEADS):
        head = read_at(file, at, HEAD_BYTES)
        if found := format_of(head):
            return found, at
        if begins_adts(file, at):
            return "aac", at
        lead = tag_bytes(file, at) or zero_bytes(file, at, _LEAD_ZEROS_BYTES)
        if not lead or head[:4] in WAV_HEADS:
            break
        at += lead
    return _find_frames(file, at)


def _find_frames(file: SeekableFile, start: int) -> tuple[str | None, int]:
    """Search for frames of a format without a signature; some writers leave junk before the first one."""
    head = read_at(file, 0, HEAD_BYTES)
    has_tag = head.startswith(b"ID3")
    if not has_tag and (head[:4] in WAV_HEADS or _looks_like(head) not in (Looks.UNKNOWN, Looks.ZEROS)):
        return None, 0
    if _has_mp3_frames(file, start):
        return "mp3", 0
    found = find_adts(file, start, _SEARCHED_BYTES)
    if found is not None:
        return "aac", found
    return ("mp3", 0) if has_tag else (None, 0)


def _has_mp3_frames(file: SeekableFile, start: int) -> bool:
    searched = FileView(file, start, min(file.size, start + _SEARCHED_BYTES))
    return any(True for _ in Mp3Frames(searched).recordings())


def format_of(head: bytes) -> str | None:
    """Return the key of `DEMUXERS` for these first bytes; None for MP3 and AAC, which have no signature."""
    if (head[:4] in WAV_HEADS and head[8:12] == b"WAVE") or head.startswith(W64_HEAD):
        return "wav"
    if head[4:8] in MP4_BOXES:
        return "m4a"
    if head.startswith(b"fLaC"):
        return "flac"
    if head.startswith(EBML_HEAD):
        return "webm"
    return "ogg" if head.startswith(b"OggS") else None


def _looks_like(head: bytes) -> Looks:
    if not head.strip(b"\0"):
        return Looks.ZEROS
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for start, name in STRANGERS.items():
        if text.startswith(start):
            return name
    return Looks.TEXT if _is_text(text) else Looks.UNKNOWN


def _is_text(head: bytes) -> bool:
    """Return whether the text is printable. Ignores the last character, which may be cut off."""
    text = head.decode(errors="replace").rstrip("\ufffd")
    return all(char.isprintable() or char.isspace() for char in text) and "\ufffd" not in text
