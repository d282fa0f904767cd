"""The address of a bucket."""

from __future__ import annotations

import pytest

from batchscribe.errors import StorageUnavailable
from batchscribe.storage.s3.s3_address import bucket_url, region_of
from tests.servers.replay import Reply, replaying

MINIO = "https://minio.example.org:9000/s3"


@pytest.mark.parametrize(
    ("bucket", "endpoint", "path_style", "url"),
    [
        ("calls", None, False, "https://calls.s3.eu-west-1.amazonaws.com"),
        ("calls", None, True, "https://s3.eu-west-1.amazonaws.com/calls"),
        ("my.calls", None, False, "https://s3.eu-west-1.amazonaws.com/my.calls"),
        ("Old_Calls", None, False, "https://s3.eu-west-1.amazonaws.com/Old_Calls"),
        ("calls", MINIO, False, "https://calls.minio.example.org:9000/s3"),
        ("calls", MINIO, True, "https://minio.example.org:9000/s3/calls"),
        ("calls", "http://127.0.0.1:9000", False, "http://127.0.0.1:9000/calls"),
        ("calls", "http://[::1]:9000", False, "http://[::1]:9000/calls"),
        ("calls", "http://localhost:9000", False, "http://localhost:9000/calls"),
    ],
)
def test_a_bucket_is_a_host_name_where_it_can_be_one(
    bucket: str, endpoint: str | None, path_style: bool, url: str
) -> None:
    assert bucket_url(bucket, endpoint=endpoint, region="eu-west-1", path_style=path_style) == url


def test_buckets_in_china_have_their_own_domain() -> None:
    url = bucket_url("calls", endpoint=None, region="cn-north-1", path_style=False)
    assert url == "https://calls.s3.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize("status", [200, 301, 403])
def test_the_region_is_named_even_in_a_refusal(status: int) -> None:
    with replaying(Reply(status, headers={"x-amz-bucket-region": "eu-central-1"})) as replay:
        assert region_of("calls", replay.endpoint) == "eu-central-1"
    [asked] = replay.requests
    assert (asked.method, asked.path) == ("HEAD", "/calls")
    assert "authorization" not in asked.headers


def test_a_storage_that_names_no_region_is_not_an_error() -> None:
    with replaying(Reply(404)) as replay:
        assert region_of("calls", replay.endpoint) is None


def test_a_failed_region_lookup_is_retried() -> None:
    with replaying(Reply()) as replay:
        endpoint = replay.endpoint
    with pytest.raises(StorageUnavailable, match="BATCHSCRIBE_S3_REGION"):
        region_of("calls", endpoint)
