"""The operator's limits, all of which are settings (contract 1.1, 1.2 and 2)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.contract.bodies import changed, manifest, prefix, single
from tests.contract.client import Answer, Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server

LIMITS = {
    "BATCHSCRIBE_MAX_BODY_BYTES": "2048",
    "BATCHSCRIBE_MAX_GLOBS": "2",
    "BATCHSCRIBE_MAX_MANIFEST": "3",
    "BATCHSCRIBE_MAX_PAGE_FILES": "7",
    "BATCHSCRIBE_MAX_PAGE_JOBS": "5",
    "BATCHSCRIBE_MAX_REFERENCE_CHARS": "8",
}


@pytest.fixture(scope="module")
def limited(start_server: StartServer) -> Iterator[Client]:
    server = start_server("--no-worker", **LIMITS)
    with client_of(server, server.new_key("limited")) as client:
        yield client


@pytest.fixture(scope="module")
def rationed(start_server: StartServer) -> Server:
    return start_server("--no-worker", BATCHSCRIBE_RATE_LIMIT="5/second")


def test_a_manifest_may_be_as_long_as_the_operator_allows(limited: Client) -> None:
    limited.submit(manifest(*["s3://calls/a.wav"] * 3))
    assert limited.refused(manifest(*["s3://calls/a.wav"] * 4)).fields == ["input.manifest"]


@pytest.mark.parametrize("name", ["include_globs", "exclude_globs"])
def test_there_may_be_as_many_globs_as_the_operator_allows(limited: Client, name: str) -> None:
    path = f"input.filters.{name}"
    limited.submit(changed(prefix(), {path: ["*", "*"]}))
    assert limited.refused(changed(prefix(), {path: ["*", "*", "*"]})).fields == [path]


def test_a_reference_may_be_as_long_as_the_operator_allows(limited: Client) -> None:
    limited.submit(single(reference_id="x" * 8))
    assert limited.refused(single(reference_id="x" * 9)).fields == ["reference_id"]


def test_a_body_may_be_as_large_as_the_operator_allows(limited: Client) -> None:
    limited.submit(single(reference_id="x", padding="x" * 900))
    answer = limited.call("POST", "/jobs", 413, json=single(padding="x" * 2048))
    assert answer.reason == "BODY_TOO_LARGE"


def test_a_page_may_be_as_large_as_the_operator_allows(limited: Client) -> None:
    job_id, *_ = (limited.submit(single()) for _ in range(6))
    assert len(limited.get("/jobs", page_size=5)["jobs"]) == 5
    assert limited.call("GET", "/jobs", 400, params={"page_size": 6}).fields == ["page_size"]
    limited.get(f"/jobs/{job_id}/files", page_size=7)
    assert limited.call("GET", f"/jobs/{job_id}/files", 400, params={"page_size": 8}).fields == ["page_size"]


def test_the_default_page_size_respects_the_limit(limited: Client) -> None:
    for _ in range(6):
        limited.submit(single())
    page = limited.get("/jobs")
    assert len(page["jobs"]) == 5
    assert page["next_page_token"]


@pytest.fixture(scope="module")
def hasty(rationed: Server) -> Iterator[Client]:
    with client_of(rationed, rationed.new_key("hasty")) as client:
        yield client


@pytest.fixture(scope="module")
def calm(rationed: Server) -> Iterator[Client]:
    with client_of(rationed, rationed.new_key("calm")) as client:
        yield client


def burst(client: Client, count: int = 15) -> list[Answer]:
    """Send this many requests, after a second without any."""
    time.sleep(1.1)
    return [client.call("GET", "/jobs", params={"page_size": 1}) for _ in range(count)]


def test_rate_limited_requests_learn_when_to_retry(hasty: Client) -> None:
    answers = burst(hasty)
    assert [answer.status for answer in answers[:5]] == [200] * 5
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.reason == "RATE_LIMITED"
    wait_sec = int(refused.headers["retry-after"])
    assert 1 <= wait_sec <= 2
    assert refused.body["metadata"]["retry_after_seconds"] == wait_sec
    time.sleep(wait_sec)
    hasty.get("/jobs")


def test_one_tenants_haste_slows_no_other(hasty: Client, calm: Client) -> None:
    assert 429 in {answer.status for answer in burst(hasty)}
    calm.get("/jobs")


def test_two_keys_of_a_tenant_share_its_rate(rationed: Server, hasty: Client) -> None:
    with client_of(rationed, rationed.new_key("hasty")) as second:
        burst(hasty)
        assert second.call("GET", "/jobs").status == 429


def test_a_submit_counts_too(hasty: Client) -> None:
    time.sleep(1.1)
    assert {hasty.call("POST", "/jobs", json=single()).status for _ in range(12)} == {201, 429}


def test_health_is_never_rationed(rationed: Server) -> None:
    with Client(rationed.url) as client:
        assert {client.call_at("GET", "/healthz").status for _ in range(20)} == {200}
