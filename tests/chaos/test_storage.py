"""Each kind of bad storage behaves as named, and the ledger still records what was stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.chaos.ledger import Ledger
from tests.chaos.storage import Proxy, running_proxy
from tests.chaos.weather import Sky, Weather
from tests.integration.conftest import moto_s3
from tests.servers.s3_server import S3Server

__all__ = ["moto_s3"]


@pytest.fixture
def proxy(moto_s3: S3Server, tmp_path: Path) -> Iterator[Proxy]:
    with running_proxy(moto_s3.endpoint, Weather(seed=1), Ledger(tmp_path / "ledger")) as proxy:
        yield proxy


@pytest.fixture
def bucket(moto_s3: S3Server) -> str:
    return moto_s3.new_bucket(old=b"x" * 1000)


def put(proxy: Proxy, bucket: str, key: str) -> int | None:
    """Return the status; None without an answer."""
    try:
        return httpx2.put(f"{proxy.endpoint}/{bucket}/{key}", content=b"new").status_code
    except httpx2.HTTPError:
        return None


def signed_url(proxy: Proxy, bucket: str, key: str) -> str:
    client = S3Server(proxy.endpoint, "any-key", "any-secret").client()
    url: str = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
    return url


def test_on_a_good_day_what_is_put_is_stored_and_noted(proxy: Proxy, bucket: str, moto_s3: S3Server) -> None:
    assert put(proxy, bucket, "a") == 200
    assert moto_s3.client().get_object(Bucket=bucket, Key="a")["Body"].read() == b"new"
    assert httpx2.get(signed_url(proxy, bucket, "old")).content == b"x" * 1000
    (entry,) = proxy.ledger.entries("put")
    assert (entry.facts["key"], entry.facts["status"]) == (f"/{bucket}/a", 200)


def test_refused_is_not_stored(proxy: Proxy, bucket: str, moto_s3: S3Server) -> None:
    proxy.weather.set(Sky.REFUSES)
    assert put(proxy, bucket, "a") == 503
    assert "Contents" in moto_s3.client().list_objects_v2(Bucket=bucket, Prefix="old")
    assert "Contents" not in moto_s3.client().list_objects_v2(Bucket=bucket, Prefix="a")
    assert [entry.facts["status"] for entry in proxy.ledger.entries("put")] == [503]


def test_cut_off_it_may_be_stored_or_not_and_the_ledger_knows(proxy: Proxy, bucket: str, moto_s3: S3Server) -> None:
    proxy.weather.set(Sky.CUTS)
    keys = [f"key-{number}" for number in range(20)]
    assert {put(proxy, bucket, key) for key in keys} == {None}
    found = moto_s3.client().list_objects_v2(Bucket=bucket, Prefix="key-")["Contents"]
    noted = [entry.facts["key"] for entry in proxy.ledger.entries("put") if entry.facts["status"] == 200]
    assert sorted(noted) == sorted(f"/{bucket}/{item['Key']}" for item in found)
    assert 0 < len(found) < len(keys)


def test_an_answer_that_is_cut_has_less_than_it_says(proxy: Proxy, bucket: str) -> None:
    proxy.weather.set(Sky.CUTS)
    for _ in range(4):
        with pytest.raises(httpx2.RemoteProtocolError):
            httpx2.get(signed_url(proxy, bucket, "old"))


def test_a_storage_that_starves_its_clients_feeds_them_when_it_is_over_and_no_other_bucket(
    proxy: Proxy, bucket: str, moto_s3: S3Server
) -> None:
    other = moto_s3.new_bucket(old=b"y" * 1000)
    proxy.weather.set(Sky.STARVES, bucket=bucket)
    for _ in range(6):  # both ways to starve
        with pytest.raises((httpx2.ReadTimeout, httpx2.RemoteProtocolError)):
            httpx2.get(signed_url(proxy, bucket, "old"), timeout=0.3)
    assert httpx2.get(signed_url(proxy, other, "old")).content == b"y" * 1000
    proxy.weather.set(Sky.CLEAR)
    assert httpx2.get(signed_url(proxy, bucket, "old")).content == b"x" * 1000
