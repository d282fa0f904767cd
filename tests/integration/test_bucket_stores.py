"""Buckets as a job uses them, on the service or emulator of each cloud: S3, Google Cloud Storage, Azure.

What these services do not check, such as keys, is in the tests of each cloud.
"""

from __future__ import annotations

from typing import Any

import pytest

from batchscribe.errors import (
    BucketNotFound,
    InvalidSetting,
    LocationNotAllowed,
    ObjectChanged,
    ObjectNotFound,
    OutputExists,
    StorageError,
)
from batchscribe.storage.schemes import SCHEMES, connect
from batchscribe.storage.store import BucketStore, Store
from tests.servers.accesses import access_with
from tests.servers.cloud import NewBucket

#: Keys with characters that URLs, XML and signatures encode in different ways.
ODD_KEYS = ["a b+c%20ä?#&=.wav", "日本/語 (1)~!*'.wav", '<&">;:@$,.wav', "%2e%2e.wav"]


def listed(store: Store, prefix_uri: str, after: str | None = None) -> list[str]:
    return [info.uri for page in store.list(prefix_uri, after=after) for info in page]


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 2_500_000])
def test_any_range_of_an_object_reads_as_it_was_stored(new_bucket: NewBucket, size: int) -> None:
    data = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    bucket = new_bucket(**{"a.wav": data[:size]})
    with bucket.store().open(bucket.uri("a.wav")) as recording:
        assert recording.size == size
        for offset, length in [(0, 10), (2**20 - 5, 10), (size - 3, 10), (size, 1), (size + 9, 1), (0, size)]:
            start = max(offset, 0)
            assert recording.read(start, length) == data[start : min(start + length, size)]


def test_stat_open_and_listing_agree_on_size_and_etag(new_bucket: NewBucket) -> None:
    bucket = new_bucket(**{"a.wav": b"hello", "empty.wav": b""})
    store = bucket.store()
    infos = {info.uri: info for page in store.list(bucket.uri("")) for info in page}
    for key, size in [("a.wav", 5), ("empty.wav", 0)]:
        info, recording = store.stat(bucket.uri(key)), store.open(bucket.uri(key))
        assert (info.size, info.etag) == (recording.size, recording.etag) == (size, infos[info.uri].etag)
        assert info.etag


#: The emulator of Google Cloud Storage checks no conditions; `test_gcs` has a server that does.
CONDITIONAL = pytest.mark.parametrize("new_bucket", ["moto_s3", "azurite"], indirect=True)


@CONDITIONAL
def test_an_object_that_is_replaced_while_it_is_read_is_noticed(new_bucket: NewBucket) -> None:
    bucket = new_bucket(**{"a.wav": b"a" * 2_000_000})
    with bucket.store().open(bucket.uri("a.wav")) as recording:
        bucket.cloud.put(bucket.name, "a.wav", b"b" * 2_000_000)
        with pytest.raises(ObjectChanged):
            recording.read(1_500_000, 10)


@pytest.mark.parametrize("key", ODD_KEYS)
def test_every_key_is_written_read_and_listed_under_its_own_name(new_bucket: NewBucket, key: str) -> None:
    bucket = new_bucket()
    store = bucket.store()
    store.write(bucket.uri(key), b"text", overwrite=False)
    assert bucket.objects == {key: b"text"}
    assert store.read(bucket.uri(key), limit_bytes=10) == b"text"
    assert listed(store, bucket.uri("")) == [bucket.uri(key)]


def test_a_transcript_is_written_with_its_type_and_overwritten(new_bucket: NewBucket) -> None:
    bucket = new_bucket()
    store = bucket.store()
    store.write(bucket.uri("out/a.vtt"), b"old", overwrite=False, content_type="text/vtt; charset=utf-8")
    assert bucket.cloud.content_type(bucket.name, "out/a.vtt") == "text/vtt; charset=utf-8"
    store.write(bucket.uri("out/a.vtt"), b"new", overwrite=True)
    assert bucket.objects == {"out/a.vtt": b"new"}


@CONDITIONAL
def test_a_transcript_replaces_another_only_if_allowed(new_bucket: NewBucket) -> None:
    bucket = new_bucket(**{"a.json": b"old"})
    with pytest.raises(OutputExists):
        bucket.store().write(bucket.uri("a.json"), b"new", overwrite=False)
    assert bucket.objects == {"a.json": b"old"}


def test_the_check_of_a_folder_leaves_nothing_behind(new_bucket: NewBucket) -> None:
    bucket = new_bucket()
    bucket.store().check_write(bucket.uri("out/a.json"))
    assert bucket.objects == {}


def test_what_is_missing_is_named(new_bucket: NewBucket) -> None:
    bucket = new_bucket()
    store, elsewhere = bucket.store(), f"{bucket.cloud.scheme}://no-such-bucket-here"
    for ask in (store.stat, store.open):
        with pytest.raises(ObjectNotFound, match=r"a\.wav"):
            ask(bucket.uri("a.wav"))
    with pytest.raises(BucketNotFound):
        listed(store, f"{elsewhere}/")
    with pytest.raises(BucketNotFound):
        store.write(f"{elsewhere}/a.json", b"{}", overwrite=False)


def test_a_store_of_a_bucket_deletes_for_the_doctor(new_bucket: NewBucket) -> None:
    bucket = new_bucket(a=b"x", b=b"x")
    store = SCHEMES[bucket.cloud.scheme].connect(bucket.cloud.access())
    assert isinstance(store, BucketStore)
    store.delete(bucket.uri("a"))
    store.delete(bucket.uri("a"))
    assert bucket.objects == {"b": b"x"}


def test_a_listing_is_of_the_folder_and_not_of_names_that_start_alike(new_bucket: NewBucket) -> None:
    bucket = new_bucket(**{"audio/a.wav": b"x", "audio.wav": b"x", "audio2/b.wav": b"x", "audio/s/c.wav": b"x"})
    expected = [bucket.uri("audio/a.wav"), bucket.uri("audio/s/c.wav")]
    assert listed(bucket.store(), bucket.uri("audio/")) == expected
    assert listed(bucket.store(), bucket.uri("audio")) == expected
    assert len(listed(bucket.store(), bucket.uri(""))) == len(listed(bucket.store(), bucket.uri("").rstrip("/"))) == 4


def test_folder_markers_are_left_out_and_empty_recordings_are_not(new_bucket: NewBucket) -> None:
    keys = ["in/calls/a.wav", "in/empty.wav", "in/folder.wav/b.wav"]
    bucket = new_bucket(**{key: b"" if key.endswith("empty.wav") else b"x" for key in keys})
    if bucket.cloud.scheme != "gs":  # the emulator stores no such object
        for marker in ("in/", "in/calls/", "in/folder.wav/"):
            bucket.cloud.put(bucket.name, marker, b"")
    assert listed(bucket.store(), bucket.uri("in/")) == [bucket.uri(key) for key in keys]


def test_a_listing_continues_after_the_object_seen_last(new_bucket: NewBucket) -> None:
    bucket = new_bucket(**{f"in/{name}.wav": b"x" for name in "abcd"})
    expected = [bucket.uri(f"in/{name}.wav") for name in "cd"]
    assert listed(bucket.store(), bucket.uri("in/"), bucket.uri("in/b.wav")) == expected
    assert listed(bucket.store(), bucket.uri("in/"), bucket.uri("in/bb.wav")) == expected  # deleted meanwhile
    assert listed(bucket.store(), bucket.uri("in/"), bucket.uri("in/d.wav")) == []


def test_an_empty_prefix_lists_nothing(new_bucket: NewBucket) -> None:
    bucket = new_bucket()
    assert listed(bucket.store(), bucket.uri("nothing/")) == []


def test_a_small_object_is_read_whole_and_a_large_one_refused(new_bucket: NewBucket) -> None:
    bucket = new_bucket(**{"a.json": b"12345"})
    assert bucket.store().read(bucket.uri("a.json"), limit_bytes=5) == b"12345"
    with pytest.raises(StorageError, match="larger than 4 bytes"):
        bucket.store().read(bucket.uri("a.json"), limit_bytes=4)


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_a_folder_is_no_object_to_open_and_dot_segments_are_refused_by_name(scheme: str) -> None:
    store = connect(access_with(azure_account="account1", s3_region="eu-west-1"))
    with pytest.raises(ObjectNotFound):
        store.open(f"{scheme}://bucket/in/")
    with pytest.raises(StorageError, match=r"in/\.\./a\.wav has a key that cannot be addressed"):
        store.open(f"{scheme}://bucket/in/../a.wav")
    with pytest.raises(LocationNotAllowed, match="has no bucket"):
        store.open(f"{scheme}://../a.wav")


@pytest.mark.parametrize("setting", ["s3_endpoint", "gcs_endpoint", "gcs_token_url", "azure_endpoint"])
@pytest.mark.parametrize(
    ("endpoint", "complaint"),
    [
        ("http://192.0.2.1:9", "is plain HTTP"),
        ("storage.example.org", "must be a URL"),
        ("ftp://storage.example.org", "must be a URL"),
        ("https://key:secret@storage.example.org", "must be a URL"),
        ("https://[::1", "must be a URL"),
        ("https://storage.example.org?", "must be a URL"),
        ("https://storage.example.org/#part", "must be a URL"),
        ("https://storage.example.org/{bucket}", "must be a URL"),
        ("https://storage.example.org/a b", "must be a URL"),
        ("https://storage.example.org/\u00e4", "must be a URL"),
    ],
)
def test_an_endpoint_that_cannot_work_is_refused_before_any_request(
    setting: str, endpoint: str, complaint: str
) -> None:
    settings: dict[str, Any] = {setting: endpoint}
    with pytest.raises(InvalidSetting, match=complaint) as refusal:
        connect(access_with(**settings))
    assert "secret" not in str(refusal.value)
    assert f"BATCHSCRIBE_{setting.upper()}" in refusal.value.message
