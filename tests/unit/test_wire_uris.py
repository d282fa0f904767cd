"""URIs taken apart: raw keys in S3, percent-encoded paths on disk."""

from __future__ import annotations

import gc
import uuid
from pathlib import Path

import pytest

from batchscribe.wire.uris import canonical, extension_of, name_of, path_of, without_query


@pytest.mark.parametrize(
    ("uri", "path", "name", "extension"),
    [
        ("s3://bucket/calls/a b%20?#.wav", "calls/a b%20?#.wav", "a b%20?#.wav", "wav"),
        ("file:///calls/a%20b.WAV", "calls/a b.WAV", "a b.WAV", "wav"),
        ("https://host/calls/a%20b.mp3?sig=x.y", "calls/a b.mp3", "a b.mp3", "mp3"),
        ("s3://bucket/.hidden.wav", ".hidden.wav", ".hidden.wav", "wav"),
        ("s3://bucket/.wav", ".wav", ".wav", ""),
        ("s3://bucket/noext", "noext", "noext", ""),
        ("s3://bucket/dot.", "dot.", "dot.", ""),
        ("s3://bucket/v1.2/", "v1.2/", "", ""),
        ("s3://bucket", "", "", ""),
    ],
)
def test_a_uri_has_a_path_a_name_and_an_extension(uri: str, path: str, name: str, extension: str) -> None:
    assert (path_of(uri), name_of(uri), extension_of(uri)) == (path, name, extension)


@pytest.mark.parametrize("path", ["/data/a b.wav", "/data/100%.wav", "/data/ö/世界?.wav", "/data/\udcff.wav"])
def test_a_local_path_is_spelled_as_pathlib_does(path: str) -> None:
    uri = Path(path).as_uri()
    assert canonical(uri) == uri
    assert "/" + path_of(uri) == path


def test_a_local_path_has_one_spelling() -> None:
    assert canonical("File://localhost/data//a/./b c%2E.wav") == "file:///data/a/b%20c..wav"
    assert canonical("S3://B//a/./b") == "s3://B//a/./b"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("HTTPS://Host/A?b=c#d", "https://Host/A"),
        ("https://host/a#?b", "https://host/a"),
        ("https://[?b", "https://["),
        ("https://a]b/c", "https://a]b/c"),
        ("s3://bucket/a?b#c", "s3://bucket/a?b#c"),
    ],
)
def test_a_query_is_cut_from_any_text(uri: str, shown: str) -> None:
    assert without_query(uri) == shown


def take_apart(mark: str) -> None:
    signed = f"https://host.example/calls/a.wav?X-Amz-Signature={mark}-signature"
    assert (path_of(signed), without_query(signed)) == ("calls/a.wav", "https://host.example/calls/a.wav")


def test_a_signature_stays_in_no_memory_of_what_was_taken_apart() -> None:
    mark = uuid.uuid4().hex
    take_apart(mark)
    kept = (part for item in gc.get_objects() for part in gc.get_referents(item) if isinstance(part, str))
    assert not any(f"{mark}-signature" in part for part in kept)
