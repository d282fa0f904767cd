"""What the name of an object says about its content."""

from __future__ import annotations

import pytest

from batchscribe.input_formats import ALL_NAMES, NAME_OF_EXTENSION, WIRE_NAMES
from batchscribe.jobs.media_names import is_ignored, is_macos_metadata, is_supported, transcript_extensions
from batchscribe.wire.choices import OutputFormat
from batchscribe.wire.output import RECORDINGS

OF_THE_WIRE = ["a.wav", "A.WAV", "a.Mp3", "x.m4a", "a.b.mp4", ".hidden.wav"]
OTHERS = ["a.flac", "a.ogg", "a.oga", "a.OPUS", "a.webm", "a.weba", "a.mkv", "a.mka", "a.aac"]


@pytest.mark.parametrize("name", OF_THE_WIRE + OTHERS)
def test_recordings_are_known_by_their_extension_in_any_case(name: str) -> None:
    assert is_supported(f"s3://bucket/{name}", ALL_NAMES)
    assert is_supported(f"s3://bucket/{name}", WIRE_NAMES) == (name in OF_THE_WIRE)


@pytest.mark.parametrize("name", ["a.amr", "noext", ".wav", "wav", "a.wav.txt", "a.json", "a."])
def test_anything_else_is_not_supported(name: str) -> None:
    assert not is_supported(f"s3://bucket/{name}", ALL_NAMES)


@pytest.mark.parametrize("name", ["a.ogg", "a.oga", "a.opus"])
def test_a_format_has_all_of_its_extensions(name: str) -> None:
    assert is_supported(f"s3://bucket/{name}", ("ogg",))
    assert not is_supported(f"s3://bucket/{name}", ("wav", "webm"))


def test_no_transcript_may_have_the_extension_of_a_recording() -> None:
    assert set(NAME_OF_EXTENSION) <= RECORDINGS


def test_the_query_of_a_signed_uri_is_not_an_extension() -> None:
    assert is_supported("https://host/a.wav?sig=x.json", ALL_NAMES)
    assert not is_supported("https://host/a.txt?name=a.wav", ALL_NAMES)
    assert is_supported("https://host/download?id=7", ("flac",))


@pytest.mark.parametrize("path", ["._a.wav", "deep/._a.wav", "__MACOSX/a.wav", "deep/__MACOSX/deep/._a.wav"])
def test_what_macos_leaves_beside_files_is_known_by_its_name(path: str) -> None:
    assert is_macos_metadata(path)


@pytest.mark.parametrize("path", [".a.wav", "a._b.wav", "_a.wav", "__MACOSX", "x__MACOSX/a.wav", "._x/a.wav"])
def test_other_names_with_dots_are_names_like_any_other(path: str) -> None:
    assert not is_macos_metadata(path)


def test_keys_that_stand_for_folders_get_no_row() -> None:
    assert is_ignored("s3://bucket/calls/", 0)
    assert not is_ignored("s3://bucket/calls/", 7)
    assert not is_ignored("s3://bucket/empty.wav", 0)


def test_transcripts_of_earlier_runs_get_no_row_where_they_lie_among_the_recordings() -> None:
    extensions = transcript_extensions([OutputFormat.JSON])
    assert is_ignored("s3://bucket/a.json", 7, transcript_extensions=extensions)
    assert is_ignored("s3://bucket/a.SRT", 7, transcript_extensions=extensions)
    assert not is_ignored("s3://bucket/notes.txt", 7, transcript_extensions=extensions)
    assert is_ignored("s3://bucket/a.txt", 7, transcript_extensions=transcript_extensions([OutputFormat.TXT]))
    assert not is_ignored("s3://bucket/a.json", 7)
