from __future__ import annotations

import pytest

from batchscribe.audio.file_view import RemoteFile
from batchscribe.audio.sniff import accepted_formats, check_format
from batchscribe.errors import InvalidSetting, UnsupportedMedia
from tests.audio_files import encoded, noise, wav


def format_of(content: bytes, extra_formats: tuple[str, ...] = ("flac", "ogg")) -> str:
    """Raises `UnsupportedMedia`."""
    file = RemoteFile(len(content), lambda offset, length: content[offset : offset + length])
    return check_format(file, extra_formats)[0]


MP3 = encoded(noise(0.5), codec="mp3", container="mp3")
MP3_FRAMES = MP3[MP3.index(b"\xff\xf3") :] if b"\xff\xf3" in MP3 else MP3[MP3.index(b"\xff\xfb") :]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wav(noise(0.1)), "wav"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "wav"),
        (MP3, "mp3"),
        (MP3_FRAMES, "mp3"),
        (b"\0" * 700 + MP3_FRAMES, "mp3"),
        (encoded(noise(0.2), codec="aac", container="ipod"), "m4a"),
        (encoded(noise(0.2), codec="flac", container="flac"), "flac"),
        (encoded(noise(0.2), codec="flac", container="ogg"), "ogg"),
    ],
    ids=["wav", "rf64", "mp3 with tag", "bare mp3", "mp3 behind zeros", "m4a", "flac", "ogg"],
)
def test_the_content_says_the_format(content: bytes, expected: str) -> None:
    assert format_of(content) == expected


@pytest.mark.parametrize(
    ("head", "looks_like"),
    [
        (b"<!DOCTYPE html><html><body>404", "an HTML or XML page"),
        (b"\xef\xbb\xbf  <?xml version='1.0'?><Error><Code>AccessDenied</Code>", "an HTML or XML page"),
        (b"#EXTM3U\n#EXTINF:1,\nsecret.wav\n", "a playlist"),
        (b"ffconcat version 1.0\nfile secret.wav\n", "a playlist"),
        ("Das hier ist nur ein Text, größer nicht.\n".encode(), "a text file"),
        ("ä".encode()[:1].join([b"cut in the middle of a letter ", b""]), "a text file"),
        (bytes(4096), "a file of zeros"),
        (b"RIFF\0\0\0\0AVI LIST", "an unknown format"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"\x1a\x45\xdf\xa3\x01\x00\x00\x00", "a WebM or Matroska file"),
        (bytes(range(1, 256)), "an unknown format"),
    ],
)
def test_a_refusal_says_what_the_file_looks_like(head: bytes, looks_like: str) -> None:
    with pytest.raises(UnsupportedMedia, match=looks_like):
        format_of(head, ())


def test_flac_is_accepted_only_where_the_operator_allows_it() -> None:
    head = encoded(noise(0.2), codec="flac", container="flac")
    with pytest.raises(UnsupportedMedia, match="BATCHSCRIBE_EXTRA_FORMATS"):
        format_of(head, ())
    assert format_of(head) == "flac"


def test_an_unknown_extra_format_is_named() -> None:
    with pytest.raises(InvalidSetting, match="BATCHSCRIBE_EXTRA_FORMATS: m3u8 is not a known format"):
        accepted_formats(("flac", "m3u8"))
