"""The operator's limits, all of which are settings (contract 1.1, 1.2 and 2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any

import pytest

from tests.contract.bodies import changed, manifest, prefix, single
from tests.contract.client import Answer, Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server

RATE, WINDOW_SEC = 5, 4
MANY = 100  #: requests; on a usable machine, some of them exceed the rate

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
    return start_server("--no-worker", BATCHSCRIBE_RATE_LIMIT=f"{RATE}/{WINDOW_SEC} seconds")


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


@pytest.fixture
def new_tenant(rationed: Server) -> Callable[[], Client]:
    """Return a function that creates a tenant, and returns a client with its key. The tenant has sent nothing yet."""
    return lambda: client_of(rationed, rationed.new_key(f"tenant-{token_hex(4)}"))


def send_until_refused(client: Client, method: str = "GET", **rest: Any) -> list[Answer]:
    """Send requests until one exceeds the rate, however slow they are. Return all answers."""
    answers: list[Answer] = []
    while not answers or answers[-1].status != 429:
        assert len(answers) < MANY, "no request was refused"
        answers.append(client.call(method, "/jobs", **rest))
    return answers


def test_rate_limited_requests_learn_when_to_retry(new_tenant: Callable[[], Client]) -> None:
    with new_tenant() as hasty:
        *answers, refused = send_until_refused(hasty)
        assert len(answers) >= RATE
        assert {answer.status for answer in answers} == {200}
        assert refused.reason == "RATE_LIMITED"
        wait_sec = int(refused.headers["retry-after"])
        assert 1 <= wait_sec <= WINDOW_SEC + 1
        assert refused.body["metadata"]["retry_after_seconds"] == wait_sec
        time.sleep(wait_sec)
        hasty.get("/jobs")


def test_one_tenants_haste_slows_no_other(new_tenant: Callable[[], Client]) -> None:
    with new_tenant() as hasty, new_tenant() as calm:
        send_until_refused(hasty)
        calm.get("/jobs")


def test_two_keys_of_a_tenant_share_its_rate(rationed: Server) -> None:
    """The second key sends fewer requests than one key may, but right after the first has used up the rate."""
    first_key = rationed.new_key("two-keys")
    with client_of(rationed, first_key) as first, client_of(rationed, rationed.new_key("two-keys")) as second:
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < RATE - 1:  # again if the window has ended between two requests
            send_until_refused(first)
            statuses.append(second.call("GET", "/jobs").status)
        assert 429 in statuses


def test_a_submit_counts_too(new_tenant: Callable[[], Client]) -> None:
    with new_tenant() as hasty:
        answers = send_until_refused(hasty, "POST", json=single())
        assert {answer.status for answer in answers} == {201, 429}


def test_health_is_never_rationed(rationed: Server) -> None:
    with Client(rationed.url) as client:
        assert {client.call_at("GET", "/healthz").status for _ in range(20)} == {200}
