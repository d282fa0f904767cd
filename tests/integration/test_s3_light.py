"""`s3://` as a job uses it, against moto, which accepts any key. test_s3_radosgw.py tests rejected keys."""

from __future__ import annotations

import pytest

from batchscribe.errors import InvalidSetting, ObjectNotFound, StorageError
from batchscribe.storage.access import Access
from batchscribe.storage.routed import connect
from batchscribe.storage.store import Store
from tests.servers.s3_server import S3Server


def listed(store: Store, prefix_uri: str, after: str | None = None) -> list[str]:
    return [info.uri for page in store.list(prefix_uri, after=after) for info in page]


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 2_500_000])
def test_any_range_of_an_object_reads_as_it_was_stored(moto_s3: S3Server, size: int) -> None:
    data = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    bucket = moto_s3.new_bucket(**{"a.wav": data[:size]})
    with moto_s3.store().open(f"s3://{bucket}/a.wav") as recording:
        assert recording.size == size
        for offset, length in [(0, 10), (2**20 - 5, 10), (size - 3, 10), (size, 1), (size + 9, 1), (0, size)]:
            start = max(offset, 0)
            assert recording.read(start, length) == data[start : min(start + length, size)]


def test_stat_and_open_agree_on_size_and_etag(moto_s3: S3Server) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": b"hello", "empty.wav": b""})
    store = moto_s3.store()
    for key, size in [("a.wav", 5), ("empty.wav", 0)]:
        info, recording = store.stat(f"s3://{bucket}/{key}"), store.open(f"s3://{bucket}/{key}")
        assert (info.size, info.etag) == (size, recording.etag)
        assert info.etag == moto_s3.client().head_object(Bucket=bucket, Key=key)["ETag"]


def test_a_listing_is_of_the_folder_and_not_of_names_that_start_alike(moto_s3: S3Server) -> None:
    bucket = moto_s3.new_bucket(**{"audio/a.wav": b"x", "audio.wav": b"x", "audio2/b.wav": b"x", "audio/s/c.wav": b"x"})
    expected = [f"s3://{bucket}/audio/a.wav", f"s3://{bucket}/audio/s/c.wav"]
    assert listed(moto_s3.store(), f"s3://{bucket}/audio/") == expected
    assert listed(moto_s3.store(), f"s3://{bucket}/audio") == expected
    assert len(listed(moto_s3.store(), f"s3://{bucket}/")) == len(listed(moto_s3.store(), f"s3://{bucket}")) == 4


def test_folder_markers_are_left_out_and_empty_recordings_are_not(moto_s3: S3Server) -> None:
    keys = ["in/", "in/calls/", "in/calls/a.wav", "in/empty.wav", "in/folder.wav/", "in/folder.wav/b.wav"]
    bucket = moto_s3.new_bucket(**{key: b"" if key.endswith(("/", "empty.wav")) else b"x" for key in keys})
    expected = [f"s3://{bucket}/{key}" for key in keys if not key.endswith("/")]
    assert listed(moto_s3.store(), f"s3://{bucket}/in/") == expected


def test_a_listing_resumes_after_the_last_object_seen(moto_s3: S3Server) -> None:
    bucket = moto_s3.new_bucket(**{f"in/{name}.wav": b"x" for name in "abcd"})
    after = f"s3://{bucket}/in/b.wav"
    assert listed(moto_s3.store(), f"s3://{bucket}/in/", after) == [f"s3://{bucket}/in/{name}.wav" for name in "cd"]
    gone = f"s3://{bucket}/in/bb.wav"
    assert listed(moto_s3.store(), f"s3://{bucket}/in/", gone) == [f"s3://{bucket}/in/{name}.wav" for name in "cd"]


def test_an_empty_prefix_lists_nothing(moto_s3: S3Server) -> None:
    assert listed(moto_s3.store(), f"s3://{moto_s3.new_bucket()}/nothing/") == []


def test_a_small_object_is_read_whole_and_a_large_one_refused(moto_s3: S3Server) -> None:
    uri = f"s3://{moto_s3.new_bucket(**{'a.json': b'12345'})}/a.json"
    assert moto_s3.store().read(uri, limit_bytes=5) == b"12345"
    with pytest.raises(StorageError, match="larger than 4 bytes"):
        moto_s3.store().read(uri, limit_bytes=4)


def test_a_folder_marker_cannot_be_opened(moto_s3: S3Server) -> None:
    bucket = moto_s3.new_bucket(**{"in/": b""})
    with pytest.raises(ObjectNotFound):
        moto_s3.store().open(f"s3://{bucket}/in/")


def test_a_key_with_dot_segments_is_refused_by_name(moto_s3: S3Server) -> None:
    with pytest.raises(StorageError, match=r"in/\.\./a\.wav has a key that cannot be addressed"):
        moto_s3.store().open("s3://bucket/in/../a.wav")


@pytest.mark.parametrize(
    ("endpoint", "complaint"),
    [
        ("http://127.0.0.1:9", "BATCHSCRIBE_S3_ALLOW_HTTP"),
        ("s3.example.org", "must be a URL"),
        ("ftp://s3.example.org", "must be a URL"),
        ("https://key:secret@s3.example.org", "must be a URL"),
    ],
)
def test_an_endpoint_that_cannot_work_is_refused_before_any_request(endpoint: str, complaint: str) -> None:
    with pytest.raises(InvalidSetting, match=complaint) as refusal:
        connect(Access(s3_endpoint=endpoint))
    assert "secret" not in str(refusal.value)
