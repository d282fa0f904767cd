"""What the first bytes of a file say it is, before any demuxer sees it.

FFmpeg opens playlists and follows what they name, so a file whose beginning is not that of an accepted container goes
no further. The name of the file plays no part.
"""

from __future__ import annotations

from collections.abc import Collection

from batchscribe.audio.findings import Finding, Looks, refusal
from batchscribe.errors import InvalidSetting

#: What a recording must begin with is looked for in so many bytes.
HEAD_BYTES = 4096
#: Demuxers of FFmpeg for each accepted format; the whitelist of the open call.
DEMUXERS = {
    "wav": "wav,au",  # AU for samples of RIFX: see `au_header`
    "mp3": "mp3",
    "m4a": "mov,mp4,m4a,3gp,3g2,mj2",
    "flac": "flac",
    "ogg": "ogg",
}
BASE_FORMATS = ("wav", "mp3", "m4a")
#: Formats that are the same container under another name.
SAME_AS = {"mp4": "m4a", "mov": "m4a", "opus": "ogg", "oga": "ogg"}
WAV_HEADS = (b"RIFF", b"RF64", b"BW64", b"RIFX")
W64_HEAD = b"riff\x2e\x91\xcf\x11"
MP4_BOXES = (b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
#: kbit/s by the index in a layer III frame's header; 0 for "free" and for the forbidden one.
BITRATES_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
BITRATES_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
SAMPLE_RATES = (44_100, 48_000, 32_000)  #: Hz of MPEG-1; MPEG-2 has half, MPEG-2.5 a quarter
#: Other things that are met under the name of a recording.
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
    """The formats that may be opened, each under its one name. Raises `InvalidSetting` for one that nobody knows."""
    named = {SAME_AS.get(name, name) for name in extra}
    unknown = sorted(named - DEMUXERS.keys())
    if unknown:
        raise InvalidSetting(f"BATCHSCRIBE_EXTRA_FORMATS: {unknown[0]} is not known; there are flac and ogg.")
    return frozenset(BASE_FORMATS) | named


def checked_format(head: bytes, extra_formats: Collection[str] = ()) -> str:
    """The format that the bytes begin with. Raises `UnsupportedMedia`, which says what they look like instead."""
    found = format_of(head)
    if found is None:
        raise refusal(Finding.NOT_A_RECORDING, looks=_looks_like(head))
    if found not in accepted_formats(extra_formats):
        raise refusal(Finding.FORMAT_NOT_ALLOWED, format=found.upper())
    return found


def format_of(head: bytes) -> str | None:
    """One of the keys of `DEMUXERS`, or None."""
    if (head[:4] in WAV_HEADS and head[8:12] == b"WAVE") or head.startswith(W64_HEAD):
        return "wav"
    if head[4:8] in MP4_BOXES:
        return "m4a"
    if head.startswith(b"fLaC"):
        return "flac"
    if head.startswith(b"OggS"):
        return "ogg"
    return "mp3" if head.startswith(b"ID3") or _has_mpeg_frame(head) else None


def _has_mpeg_frame(head: bytes) -> bool:
    """Whether two MPEG audio frames follow each other in the head; some writers leave rubbish in front of the first."""
    start = head.find(b"\xff")
    while start >= 0:
        length = _frame_bytes(head[start : start + 4])
        after = head[start + length : start + length + 4]
        is_last = len(after) < 4 and len(head) < HEAD_BYTES
        if length and (is_last or _frame_bytes(after)):
            return True
        start = head.find(b"\xff", start + 1)
    return False


def _frame_bytes(header: bytes) -> int:
    """Length of the layer III frame that this header starts; 0 when it is none (ISO 11172-3, 13818-3)."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, padding = (header[1] >> 3) & 3, (header[2] >> 1) & 1
    bitrate = (BITRATES_MPEG1 if version == 3 else BITRATES_MPEG2)[header[2] >> 4]
    rate_index = (header[2] >> 2) & 3
    if version == 1 or rate_index == 3 or not bitrate:
        return 0
    rate = SAMPLE_RATES[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    return (144 if version == 3 else 72) * bitrate * 1000 // rate + padding


def _looks_like(head: bytes) -> Looks:
    if not head.strip(b"\0"):
        return Looks.ZEROS
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for start, name in STRANGERS.items():
        if text.startswith(start):
            return name
    return Looks.TEXT if _is_text(text) else Looks.UNKNOWN


def _is_text(head: bytes) -> bool:
    """Printable, as far as the last character, which the end of the head may have cut."""
    text = head.decode(errors="replace").rstrip("\ufffd")
    return all(char.isprintable() or char.isspace() for char in text) and "\ufffd" not in text
