from __future__ import annotations

from collections.abc import Collection

import pytest

from batchscribe.audio.file_view import RemoteFile
from batchscribe.audio.sniff import CERTAIN_DEMUXERS, DEMUXERS, check_format
from batchscribe.errors import UnsupportedMedia
from batchscribe.input_formats import ALL_NAMES, WIRE_NAMES
from tests.audio_files import encoded, noise, wav


def format_of(content: bytes, input_formats: Collection[str] = ALL_NAMES) -> str:
    """Raises `UnsupportedMedia`."""
    return place_of(content, input_formats)[0]


def place_of(content: bytes, input_formats: Collection[str] = ALL_NAMES) -> tuple[str, int]:
    file = RemoteFile(len(content), lambda offset, length: content[offset : offset + length])
    return check_format(file, input_formats)


MP3 = encoded(noise(0.5), codec="mp3", container="mp3")
MP3_FRAMES = MP3[MP3.index(b"\xff\xf3") :] if b"\xff\xf3" in MP3 else MP3[MP3.index(b"\xff\xfb") :]
AAC = encoded(noise(0.5), codec="aac", container="adts")
FLAC = encoded(noise(0.2), codec="flac", container="flac")
WEBM = encoded(noise(0.2, rate=48_000), codec="libopus", container="webm", rate=48_000)
ID3 = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wav(noise(0.1)), "wav"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "wav"),
        (MP3, "mp3"),
        (MP3_FRAMES, "mp3"),
        (b"\0" * 700 + MP3_FRAMES, "mp3"),
        (encoded(noise(0.2), codec="aac", container="ipod"), "m4a"),
        (FLAC, "flac"),
        (ID3 + FLAC, "flac"),
        (encoded(noise(0.2), codec="flac", container="ogg"), "ogg"),
        (encoded(noise(0.2, rate=48_000), codec="libopus", container="opus", rate=48_000), "ogg"),
        (WEBM, "webm"),
        (encoded(noise(0.2), codec="flac", container="matroska"), "webm"),
        (AAC, "aac"),
        (AAC[:100], "aac"),
    ],
    ids=[
        "wav", "rf64", "mp3 with tag", "bare mp3", "mp3 behind zeros", "m4a", "flac", "flac with tag", "ogg", "opus",
        "webm", "matroska", "aac", "the start of aac",
    ],
)  # fmt: skip
def test_the_content_says_the_format(content: bytes, expected: str) -> None:
    assert format_of(content) == expected


@pytest.mark.parametrize("before", [b"", ID3, bytes(700), ID3 + bytes(700), AAC[-40:], ID3 + AAC[-40:]])
def test_aac_without_a_container_is_found_behind_tags_zeros_and_the_rest_of_a_frame(before: bytes) -> None:
    assert place_of(before + AAC) == ("aac", len(before))


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 96_000])
def test_aac_and_mp3_are_not_confused(rate: int) -> None:
    assert format_of(encoded(noise(0.5, rate=rate, channels=2), codec="aac", container="adts", rate=rate)) == "aac"
    if rate <= 48_000:
        assert format_of(encoded(noise(0.5, rate=rate, channels=2), codec="mp3", container="mp3", rate=rate)) == "mp3"


@pytest.mark.parametrize("head", [b"\xff\xf1", b"\xff\xf9"])
def test_the_two_first_bytes_of_aac_are_not_enough(head: bytes) -> None:
    with pytest.raises(UnsupportedMedia, match="an unknown format"):
        format_of(head + noise(0.5).tobytes())


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
        (b"#!AMR\n\x3c\x91", "an AMR file"),
        (bytes(range(1, 256)), "an unknown format"),
    ],
)
def test_a_refusal_says_what_the_file_looks_like(head: bytes, looks_like: str) -> None:
    with pytest.raises(UnsupportedMedia, match=looks_like):
        format_of(head)


@pytest.mark.parametrize(("content", "title"), [(FLAC, "FLAC"), (WEBM, "WebM"), (AAC, "AAC")])
def test_the_operator_may_narrow_the_formats(content: bytes, title: str) -> None:
    with pytest.raises(UnsupportedMedia, match=f"is {title}, which BATCHSCRIBE_INPUT_FORMATS does not allow"):
        format_of(content, WIRE_NAMES)
    assert format_of(MP3, WIRE_NAMES) == "mp3"


def test_every_format_has_demuxers() -> None:
    assert tuple(DEMUXERS) == ALL_NAMES
    assert all(demuxer in DEMUXERS[name].split(",") for name, demuxer in CERTAIN_DEMUXERS.items())
