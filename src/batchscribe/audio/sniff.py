"""Detection of the format from the first bytes of a file, before a demuxer reads it.

FFmpeg opens playlists and the files that they name. So a file is refused unless it begins like an accepted container.
The file name is ignored.
"""

from __future__ import annotations

from collections.abc import Collection

from batchscribe.audio.file_view import FileView, SeekableFile, read_at
from batchscribe.audio.findings import Finding, Looks, refusal
from batchscribe.audio.mp3_frames import Mp3Frames
from batchscribe.audio.tags import tag_bytes, zero_bytes
from batchscribe.errors import InvalidSetting

#: Number of bytes that are searched for the start of a recording.
HEAD_BYTES = 4096
#: FFmpeg demuxers for each accepted format; the whitelist for opening a file.
DEMUXERS = {
    "wav": "wav,au",  # AU is for RIFX samples, see `au_header`
    "mp3": "mp3",
    "m4a": "mov,mp4,m4a,3gp,3g2,mj2",
    "flac": "flac",
    "ogg": "ogg",
}
BASE_FORMATS = ("wav", "mp3", "m4a")
#: Other names of the same container.
SAME_AS = {"mp4": "m4a", "mov": "m4a", "opus": "ogg", "oga": "ogg"}
WAV_HEADS = (b"RIFF", b"RF64", b"BW64", b"RIFX")
W64_HEAD = b"riff\x2e\x91\xcf\x11"
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
    b"\x1a\x45\xdf\xa3": Looks.MATROSKA,
    b"\x30\x26\xb2\x75": Looks.WMA,
    b"FORM": Looks.AIFF,
    b"#!AMR": Looks.AMR,
    b"caff": Looks.CAF,
    b"\xff\xf1": Looks.BARE_AAC,
    b"\xff\xf9": Looks.BARE_AAC,
}


def accepted_formats(extra: Collection[str]) -> frozenset[str]:
    """Return the formats that may be opened, by canonical name. Raises `InvalidSetting` for an unknown format."""
    named = {SAME_AS.get(name, name) for name in extra}
    unknown = sorted(named - DEMUXERS.keys())
    if unknown:
        raise InvalidSetting(f"BATCHSCRIBE_EXTRA_FORMATS: {unknown[0]} is not a known format; use flac or ogg.")
    return frozenset(BASE_FORMATS) | named


def check_format(file: SeekableFile, extra_formats: Collection[str] = ()) -> tuple[str, int]:
    """Return the format and its offset in the file, because a tag may precede it.

    Raises `UnsupportedMedia`, which reports what the file looks like instead.
    """
    found, start = _find_format(file)
    if found is None:
        raise refusal(Finding.NOT_A_RECORDING, looks=_looks_like(read_at(file, 0, HEAD_BYTES)))
    if found not in accepted_formats(extra_formats):
        raise refusal(Finding.FORMAT_NOT_ALLOWED, format=found.upper())
    return found, start


def _find_format(file: SeekableFile) -> tuple[str | None, int]:
    at = 0
    for _ in range(_MAX_LEADS):
        head = read_at(file, at, HEAD_BYTES)
        if found := format_of(head):
            return found, at
        lead = tag_bytes(file, at) or zero_bytes(file, at, _LEAD_ZEROS_BYTES)
        if not lead or head[:4] in WAV_HEADS:
            break
        at += lead
    return ("mp3", 0) if _is_mp3(file, at) else (None, 0)


def _is_mp3(file: SeekableFile, start: int) -> bool:
    """Return whether MPEG frames follow each other; some writers leave junk before the first frame."""
    head = read_at(file, 0, HEAD_BYTES)
    if head.startswith(b"ID3"):
        return True
    if head[:4] in WAV_HEADS or _looks_like(head) not in (Looks.UNKNOWN, Looks.ZEROS):
        return False
    searched = FileView(file, start, min(file.size, start + _SEARCHED_BYTES))
    return any(True for _ in Mp3Frames(searched).recordings())


def format_of(head: bytes) -> str | None:
    """Return the key of `DEMUXERS` for these first bytes; None for an MP3, which has no signature."""
    if (head[:4] in WAV_HEADS and head[8:12] == b"WAVE") or head.startswith(W64_HEAD):
        return "wav"
    if head[4:8] in MP4_BOXES:
        return "m4a"
    if head.startswith(b"fLaC"):
        return "flac"
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
