"""S3's documented error answers, replayed, and requests that must never be sent."""

from __future__ import annotations

import traceback

import pytest

from batchscribe.errors import CredentialsExpired, ObjectNotFound, StorageBusy, StorageError, WrongRegion
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.storage.schemes import connect
from tests.servers.replay import Replay, Reply, error, replaying

KEY = AwsCredentials("JOBKEY", "job-secret")
TOKEN_KEY = AwsCredentials("JOBKEY", "job-secret", "job-token")
URI = "s3://bucket/a.wav"
WHOLE = Reply(206, b"hello", {"Content-Range": "bytes 0-4/5"})
AMBIENT = {
    "AWS_ACCESS_KEY_ID": "AMBIENT",
    "AWS_SECRET_ACCESS_KEY": "ambient-secret",
    "AWS_SESSION_TOKEN": "ambient-token",
    "AWS_ENDPOINT": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_SKIP_SIGNATURE": "true",
    "AWS_REGION": "ambient-1",
    "AWS_PROXY_URL": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
}


def malformed(region: str) -> Reply:
    """How AWS refuses a signature for another region (400)."""
    return error(400, "AuthorizationHeaderMalformed", f"<Region>{region}</Region>")


def signed_for(replay: Replay) -> list[str]:
    """The region of each signed request."""
    return [request.headers["authorization"].split("/")[2] for request in replay.requests if request.method == "GET"]


def test_a_bucket_in_another_region_is_retried_once_in_the_region_that_the_error_names() -> None:
    with replaying(malformed("eu-west-1"), WHOLE) as replay:
        store = connect(replay.access(KEY))
        assert store.read(URI, limit_bytes=5) == b"hello"
        assert store.open(URI).size == 5
    assert signed_for(replay) == ["us-east-1", "eu-west-1", "eu-west-1"]


def test_a_redirect_without_a_region_is_resolved_with_an_unsigned_head() -> None:
    named = Reply(headers={"x-amz-bucket-region": "eu-central-1"})
    with replaying(error(301, "PermanentRedirect"), named, WHOLE) as replay:
        assert connect(replay.access(KEY)).read(URI, limit_bytes=5) == b"hello"
    head = replay.requests[1]
    assert (head.method, head.path, head.headers.get("authorization")) == ("HEAD", "/bucket", None)
    assert signed_for(replay) == ["us-east-1", "eu-central-1"]


def test_a_region_that_stays_wrong_is_an_error_and_no_endless_search() -> None:
    with replaying(malformed("eu-west-1")) as replay, pytest.raises(WrongRegion, match="BATCHSCRIBE_S3_REGION"):
        connect(replay.access(KEY)).stat(URI)
    assert len(replay.requests) == 2


def test_the_region_of_the_credentials_precedes_that_of_the_settings() -> None:
    with replaying(WHOLE) as replay:
        connect(replay.access(AwsCredentials("k", "s", region="ap-south-1"), region="eu-west-3")).open(URI)
        connect(replay.access(KEY, region="eu-west-3")).open(URI)
    assert signed_for(replay) == ["ap-south-1", "eu-west-3"]


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidToken"])
def test_an_expired_token_asks_for_fresh_credentials(code: str) -> None:
    with replaying(error(400, code)) as replay, pytest.raises(CredentialsExpired, match=f"{code}.*fresh credentials"):
        connect(replay.access(TOKEN_KEY)).open(URI)


def test_a_slow_down_answer_is_retried_later() -> None:
    with replaying(error(503, "SlowDown"), error(503, "SlowDown"), WHOLE) as replay:
        assert connect(replay.access(KEY)).read(URI, limit_bytes=5) == b"hello"
    assert len(replay.requests) == 3


def test_storage_that_never_recovers_fails_after_four_tries() -> None:
    with replaying(error(503, "SlowDown")) as replay, pytest.raises(StorageBusy, match="SlowDown"):
        connect(replay.access(KEY)).stat(URI)
    assert len(replay.requests) == 4


def test_a_body_cut_at_forty_per_cent_is_fetched_to_its_end() -> None:
    body = bytes(range(250)) * 4000
    whole = {"Content-Range": "bytes 0-999999/1000000"}
    with replaying(Reply(206, body, whole, cut_at=400_000), Reply(206, body, whole)) as replay:
        with connect(replay.access(KEY)).open(URI) as recording:
            assert recording.read(0, 1_000_000) == body
        assert [request.headers["range"] for request in replay.requests] == ["bytes=0-1048575"] * 2


def test_a_body_cut_short_is_never_completed_from_another_version() -> None:
    cut = Reply(206, b"a" * 1000, {"Content-Range": "bytes 0-999/1000"}, cut_at=400)
    other = Reply(206, b"b" * 1000, {"Content-Range": "bytes 0-999/1000", "ETag": '"v2"'})
    with replaying(cut, other) as replay, connect(replay.access(KEY)).open(URI) as recording:
        assert (recording.read(0, 1000), recording.etag) == (b"b" * 1000, '"v2"')


def test_every_read_after_the_first_holds_to_the_etag_of_the_first() -> None:
    first = Reply(206, b"a" * 2**20, {"Content-Range": f"bytes 0-{2**20 - 1}/{2**20 + 3}"})
    rest = Reply(206, b"end", {"Content-Range": f"bytes {2**20}-{2**20 + 2}/{2**20 + 3}"})
    with replaying(first, rest) as replay, connect(replay.access(KEY)).open(URI) as recording:
        assert recording.read(2**20, 2**20) == b"end"
    assert [request.headers.get("if-match") for request in replay.requests] == [None, '"v1"']


def test_nothing_of_the_environment_mixes_with_the_key_of_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in AMBIENT.items():
        monkeypatch.setenv(name, value)
    with replaying(WHOLE) as replay:
        connect(replay.access(KEY)).open(URI)
        connect(replay.access(TOKEN_KEY)).open(URI)
    without, with_token = (request.headers for request in replay.requests)
    assert "x-amz-security-token" not in without
    assert with_token["x-amz-security-token"] == "job-token"
    assert "Credential=JOBKEY/" in without["authorization"]
    assert "/us-east-1/" in without["authorization"]


def test_without_a_key_nothing_is_signed_and_no_metadata_address_gets_a_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with replaying(WHOLE) as metadata, replaying(WHOLE) as replay:
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", metadata.endpoint)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", metadata.endpoint + "/role")
        connect(replay.access()).open(URI)
        connect(replay.access(KEY)).open(URI)
    assert "authorization" not in replay.requests[0].headers
    assert metadata.requests == []


def test_a_refusal_shows_neither_addresses_nor_keys_nor_what_the_server_wrote() -> None:
    refusals = [error(503, "SlowDown"), error(400, "ExpiredToken"), error(404, "NoSuchKey"), error(418, "Teapot")]
    for refusal in refusals:
        with replaying(refusal) as replay, pytest.raises(StorageError) as raised:
            connect(replay.access(TOKEN_KEY)).stat(URI)
        shown = "".join(traceback.format_exception(raised.value))
        for secret in ("127.0.0.1", "secret detail", "JOBKEY", "job-secret", "job-token", "Signature="):
            assert secret not in shown, f"{refusal} shows {secret}"


def test_a_key_that_looks_like_an_error_is_not_taken_for_one() -> None:
    with replaying(error(404, "NoSuchKey")) as replay, pytest.raises(ObjectNotFound):
        connect(replay.access(KEY)).stat("s3://bucket/<Code>ExpiredToken</Code> status: 503")
