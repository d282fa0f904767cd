"""What only a server that checks keys, tokens and conditions can show."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from batchscribe.errors import (
    AccessDenied,
    BucketNotFound,
    ClockSkewed,
    CredentialsExpired,
    ObjectChanged,
    ObjectNotFound,
    OutputExists,
    StorageError,
)
from batchscribe.storage.s3.s3_store import S3Store
from batchscribe.storage.schemes import connect
from tests.servers.accesses import access_with
from tests.servers.s3_server import S3Server


@pytest.fixture(scope="module")
def bucket(radosgw: S3Server) -> str:
    return radosgw.new_bucket(**{"audio/a.wav": b"hello"})


def test_a_wrong_secret_is_refused_in_reading_listing_and_writing(radosgw: S3Server, bucket: str) -> None:
    store = radosgw.store(secret_access_key="wrong")
    with pytest.raises(AccessDenied, match="refused access"):
        store.open(f"s3://{bucket}/audio/a.wav")
    with pytest.raises(AccessDenied, match="refused access"):
        list(store.list(f"s3://{bucket}/audio/"))
    with pytest.raises(AccessDenied, match="refused access"):
        store.write(f"s3://{bucket}/audio/a.json", b"{}", overwrite=True)


def test_an_unknown_key_is_refused(radosgw: S3Server, bucket: str) -> None:
    with pytest.raises(AccessDenied, match="refused access"):
        radosgw.store(access_key_id="UNKNOWN").stat(f"s3://{bucket}/audio/a.wav")


def test_a_made_up_session_token_asks_for_fresh_credentials(radosgw: S3Server, bucket: str) -> None:
    store = radosgw.store(session_token="made-up-token")
    with pytest.raises(CredentialsExpired, match="fresh credentials") as refusal:
        store.open(f"s3://{bucket}/audio/a.wav")
    assert "made-up-token" not in str(refusal.value)
    with pytest.raises(CredentialsExpired):
        list(store.list(f"s3://{bucket}/audio/"))


def test_without_a_key_requests_are_unsigned_and_a_private_bucket_refuses_them(radosgw: S3Server, bucket: str) -> None:
    store = connect(access_with(s3_endpoint=radosgw.endpoint, s3_allow_http=True))
    with pytest.raises(AccessDenied):
        store.stat(f"s3://{bucket}/audio/a.wav")


def test_a_second_transcript_does_not_replace_the_first_unless_told_to(radosgw: S3Server, bucket: str) -> None:
    store, uri = radosgw.store(), f"s3://{bucket}/out/a.json"
    store.write(uri, b"first", overwrite=False)
    with pytest.raises(OutputExists):
        store.write(uri, b"second", overwrite=False)
    assert store.read(uri, limit_bytes=100) == b"first"
    store.write(uri, b"third", overwrite=True)
    assert store.read(uri, limit_bytes=100) == b"third"
    assert radosgw.client().head_object(Bucket=bucket, Key="out/a.json")["ContentType"] == "application/json"


def test_a_listing_crosses_pages_and_resumes_from_any_object(radosgw: S3Server) -> None:
    bucket = radosgw.new_bucket()
    store = radosgw.store()
    uris = [f"s3://{bucket}/many/{number:04}.wav" for number in range(1003)]
    for uri in uris:
        store.write(uri, b"x", overwrite=False)
    pages = list(store.list(f"s3://{bucket}/many/"))
    assert [len(page) for page in pages] == [1000, 3]
    assert [info.uri for page in pages for info in page] == uris
    assert [info.uri for page in store.list(f"s3://{bucket}/many/", after=uris[999]) for info in page] == uris[1000:]


def test_a_missing_bucket_and_a_missing_object_have_different_errors(radosgw: S3Server, bucket: str) -> None:
    store = radosgw.store()
    with pytest.raises(ObjectNotFound, match=r"none\.wav"):
        store.open(f"s3://{bucket}/audio/none.wav")
    with pytest.raises(BucketNotFound):
        store.open("s3://no-such-bucket/audio/a.wav")
    with pytest.raises(BucketNotFound):
        list(store.list("s3://no-such-bucket/audio/"))
    with pytest.raises(BucketNotFound):
        store.write("s3://no-such-bucket/a.json", b"{}", overwrite=False)


def test_an_object_replaced_while_it_is_read_is_an_error_and_not_a_mixture(radosgw: S3Server, bucket: str) -> None:
    radosgw.put(bucket, "audio/long.wav", b"a" * 3_000_000)
    with radosgw.store().open(f"s3://{bucket}/audio/long.wav") as recording:
        assert recording.read(2_000_000, 4) == b"aaaa"
        radosgw.put(bucket, "audio/long.wav", b"b" * 3_000_000)
        with pytest.raises(ObjectChanged, match="replaced"):
            recording.read(2_000_000, 4)


ODD_KEYS = [
    "odd/a b+c.wav",
    "odd/100%25.wav",
    "odd/grüße ☎.wav",
    "odd/what?#now.wav",
    "odd/quote'\"<>&\\.wav",
    "odd/calls//a b.wav",
    "odd//calls//ü%+.wav",
    "/odd/lead.wav",
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_keys_are_taken_as_they_are(radosgw: S3Server, bucket: str, key: str) -> None:
    radosgw.put(bucket, key, b"hello")
    store, uri = radosgw.store(), f"s3://{bucket}/{key}"
    assert store.stat(uri).size == 5
    assert store.read(uri, limit_bytes=5) == b"hello"
    store.write(uri + ".json", b"{}", overwrite=False)
    assert radosgw.client().get_object(Bucket=bucket, Key=key + ".json")["Body"].read() == b"{}"


def test_odd_keys_are_listed_with_all_the_others(radosgw: S3Server) -> None:
    keys = [
        "in/../up.wav",
        "in//a b+ü%.wav",
        "in/<&>.wav",
        "in/a.wav",
        "in/b/",
        "in/b/c.wav",
        "in/x\x01y.wav",
        "inn/a.wav",
    ]
    bucket = radosgw.new_bucket(**{key: b"" if key.endswith("/") else b"x" for key in keys})
    expected = sorted(f"s3://{bucket}/{key}" for key in keys if key.startswith("in/") and not key.endswith("/"))
    store = radosgw.store()

    def listed(prefix: str, after: str | None = None) -> list[str]:
        return [info.uri for page in store.list(f"s3://{bucket}/{prefix}", after=after) for info in page]

    assert listed("in/") == expected
    assert listed("in/") == listed("in")
    for seen, uri in enumerate(expected[:-1]):  # radosgw cannot answer for a start with a control character
        assert listed("in/", after=uri) == expected[seen + 1 :]
    assert listed("in//") == [f"s3://{bucket}/in//a b+ü%.wav"]
    assert store.read(listed("in//")[0], limit_bytes=1) == b"x"


def test_an_unusable_last_key_neither_loses_nor_repeats_pages(radosgw: S3Server) -> None:
    bucket = radosgw.new_bucket()
    store = radosgw.store()
    uris = [f"s3://{bucket}/in/{number:04}.wav" for number in range(2001)]
    for uri in uris:
        store.write(uri, b"x", overwrite=False)
    radosgw.put(bucket, "in/1500//x.wav", b"x")
    listed = [info.uri for page in store.list(f"s3://{bucket}/in/") for info in page]
    assert sorted(listed) == sorted([*uris, f"s3://{bucket}/in/1500//x.wav"])


def test_an_unsayable_key_does_not_soften_a_refusal(radosgw: S3Server) -> None:
    bucket = radosgw.new_bucket(**{"in//a.wav": b"x"})
    with pytest.raises(AccessDenied):
        list(radosgw.store(secret_access_key="wrong").list(f"s3://{bucket}/in//"))
    with pytest.raises(BucketNotFound):
        list(radosgw.store().list("s3://no-such-bucket/in//"))


def test_radosgw_refuses_each_for_its_own_reason(radosgw: S3Server) -> None:
    bucket = radosgw.new_bucket(**{"a.wav": b"hello"})
    uri = f"s3://{bucket}/a.wav"
    nobody = connect(access_with(s3_endpoint=radosgw.endpoint, s3_allow_http=True))
    late = S3Store(radosgw.access(), clock=lambda: time.time() - 7200)
    met = [  # of a wrong key this release of radosgw says only that it is denied
        refused(lambda: radosgw.store(access_key_id="UNKNOWN").stat(uri)),
        refused(lambda: radosgw.store(secret_access_key="wrong").stat(uri)),
        refused(lambda: nobody.stat(uri)),
        refused(lambda: radosgw.store(session_token="made-up").stat(uri)),
        refused(lambda: late.stat(uri)),
        refused(lambda: radosgw.store().stat("s3://no-such-bucket/a.wav")),
        refused(lambda: radosgw.store().stat(f"s3://{bucket}/b.wav")),
        refused(lambda: radosgw.store().write(uri, b"", overwrite=False)),
    ]
    assert met == [
        *["ACCESS_DENIED"] * 3,
        "INVALID_CREDENTIALS",
        "CLOCK_SKEWED",
        "BUCKET_NOT_FOUND",
        "OBJECT_NOT_FOUND",
        "OUTPUT_EXISTS",
    ]


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(StorageError) as raised:
        ask()
    return raised.value.code


def test_radosgw_refuses_writes_and_listings_for_the_same_reasons(radosgw: S3Server) -> None:
    bucket = radosgw.new_bucket()
    late = S3Store(radosgw.access(), clock=lambda: time.time() - 7200)
    with pytest.raises(ClockSkewed, match="NTP"):
        late.write(f"s3://{bucket}/a.json", b"{}", overwrite=False)
    with pytest.raises(AccessDenied, match="check the key"):
        list(radosgw.store(secret_access_key="wrong").list(f"s3://{bucket}/"))
    with pytest.raises(CredentialsExpired):
        radosgw.store(session_token="made-up").write(f"s3://{bucket}/a.json", b"{}", overwrite=False)
    assert "Contents" not in radosgw.client().list_objects_v2(Bucket=bucket)


def test_radosgw_knows_the_condition_and_stores_no_probe(radosgw: S3Server) -> None:
    bucket = radosgw.new_bucket()
    uri = f"s3://{bucket}/out/a.json"
    radosgw.store().check_write(uri)
    assert "Contents" not in radosgw.client().list_objects_v2(Bucket=bucket)
    radosgw.store().write(uri, b"{}", overwrite=False)
    with pytest.raises(OutputExists):
        radosgw.store().write(uri, b"{}", overwrite=False)
