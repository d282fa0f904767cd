"""Spelling of storage URIs, and which ones are valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchscribe.errors import LocationNotAllowed
from batchscribe.storage.access import Access
from batchscribe.storage.local.roots import path_of, quote_path
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.storage.schemes import connect, location_check
from tests.servers.accesses import access_with


@pytest.mark.parametrize(
    "name", ["a.wav", "a b+c.wav", "100%25.wav", "grüße☎.wav", "q?x#y.wav", "line\nbreak.wav", "\udcff.wav"]
)
def test_any_path_survives_the_way_to_a_file_uri_and_back(name: str) -> None:
    path = f"/data/{name}"
    assert path_of(f"file://{quote_path(path)}") == path
    assert f"file://{quote_path(path)}" == Path(path).as_uri()


def test_a_host_in_a_file_uri_is_this_machine_or_refused() -> None:
    assert path_of("file://localhost/data/a.wav") == "/data/a.wav"
    with pytest.raises(LocationNotAllowed, match="three slashes"):
        path_of("file://data/a.wav")


@pytest.mark.parametrize(
    "uri", ["file:///data/../etc/passwd", "file:///data/%2e%2e/etc/passwd", "file:///data/a%00.wav"]
)
def test_a_path_that_climbs_or_hides_its_end_is_refused(uri: str) -> None:
    with pytest.raises(LocationNotAllowed):
        location_check(Access(file_roots=(Path("/data"),)))(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "file:///data",
        "file:///data/",
        "file:///data/in/a.wav",
        "file:///data//in/a.wav",
        "s3://bucket/a",
        "S3://bucket",
    ],
)
def test_a_location_below_a_root_or_in_a_bucket_is_allowed(uri: str) -> None:
    location_check(Access(file_roots=(Path("/data"),)))(uri)


@pytest.mark.parametrize("uri", ["file:///database/a.wav", "file:///", "file:///etc/passwd", "s3://", "s3:///key"])
def test_a_location_outside_is_refused(uri: str) -> None:
    with pytest.raises(LocationNotAllowed):
        location_check(Access(file_roots=(Path("/data"),)))(uri)


@pytest.mark.parametrize("uri", ["http://example.org/a.wav", "gcs://bucket/a.wav", "/data/a.wav", "a.wav", ""])
def test_an_unknown_scheme_is_refused_with_the_schemes_there_are(uri: str) -> None:
    access = Access(file_roots=(Path("/data"),))
    for refused in (lambda: location_check(access)(uri), lambda: connect(access).stat(uri)):
        with pytest.raises(LocationNotAllowed, match="use one of s3://, gs://, az://, file://, https://"):
            refused()


def test_without_allowed_roots_no_file_can_be_named() -> None:
    with pytest.raises(LocationNotAllowed, match="BATCHSCRIBE_FILE_ROOTS"):
        location_check(Access())("file:///data/a.wav")


def test_credentials_do_not_show_when_printed() -> None:
    shown = repr(access_with(AwsCredentials("the-key", "the-secret", "the-token", "eu-west-1")))
    assert "eu-west-1" in shown
    for secret in ("the-key", "the-secret", "the-token"):
        assert secret not in shown
