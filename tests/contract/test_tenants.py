"""Tenants see only their own jobs: the job of another tenant does not exist for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.bodies import ABSENT, changed, manifest, single
from tests.contract.client import Answer, Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server


@pytest.fixture(scope="module")
def owner(idle_server: Server) -> Iterator[Client]:
    with client_of(idle_server, idle_server.new_key("owner")) as client:
        yield client


@pytest.fixture(scope="module")
def stranger(idle_server: Server) -> Iterator[Client]:
    with client_of(idle_server, idle_server.new_key("stranger")) as client:
        yield client


@pytest.fixture(scope="module")
def job_id(owner: Client) -> str:
    return owner.submit(manifest("s3://calls/a.wav", "s3://calls/b.wav"))


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("GET", "/files"), ("GET", "/files/f_001"), ("GET", "/files?page_size=0")],
)
def test_the_job_of_another_tenant_is_not_found_on_any_route(
    owner: Client, stranger: Client, job_id: str, method: str, path: str
) -> None:
    before = owner.job(job_id)
    theirs = stranger.call(method, f"/jobs/{job_id}{path}")
    nobodys = stranger.call(method, f"/jobs/job_{'0' * 20}{path}")
    assert (theirs.status, told(theirs, job_id)) == (nobodys.status, told(nobodys, f"job_{'0' * 20}"))
    assert theirs.status == 404 or "page_size" in path
    assert owner.job(job_id) == before


def told(answer: Answer, job_id: str) -> str:
    """Return the answer without the ID, so that two can be compared."""
    return json.dumps(answer.body).replace(job_id, "")


def test_the_list_has_no_job_of_another_tenant(owner: Client, stranger: Client, job_id: str) -> None:
    assert job_id in [job["job_id"] for job in owner.jobs()]
    assert stranger.jobs() == []
    assert stranger.jobs(state="QUEUED") == []


def test_a_token_of_another_tenant_opens_nothing(owner: Client, stranger: Client) -> None:
    for _ in range(3):
        owner.submit(single())
    own = stranger.submit(single())
    token = owner.get("/jobs", page_size=1)["next_page_token"]
    answer = stranger.call("GET", "/jobs", params={"next_page_token": token})
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert {job["job_id"] for job in answer.body["jobs"]} <= {own}


def test_a_token_of_another_tenants_files_opens_nothing(alice: Client, bob: Client, server: Server) -> None:
    missing = [f"s3://there-is-no-such-bucket/{number}.wav" for number in range(3)]
    theirs, own = (client.done(manifest(*missing))["job_id"] for client in (alice, bob))
    token = alice.get(f"/jobs/{theirs}/files", page_size=1)["next_page_token"]
    assert bob.call("GET", f"/jobs/{theirs}/files", params={"next_page_token": token}).status == 404
    assert bob.call("GET", f"/jobs/{own}/files", params={"next_page_token": token}).status in (200, 400)
    assert server.process is not None


def test_the_same_idempotency_key_of_two_tenants_makes_two_jobs(owner: Client, stranger: Client) -> None:
    headers = {"Idempotency-Key": "the same for both"}
    assert owner.submit(single(), headers) != stranger.submit(single(), headers)


def test_two_tenants_with_one_reference_each_see_their_own(owner: Client, stranger: Client) -> None:
    ids = [client.submit(single(reference_id="shared")) for client in (owner, stranger)]
    assert [client.job(job_id)["job_id"] for client, job_id in zip((owner, stranger), ids, strict=True)] == ids
    assert stranger.call("GET", f"/jobs/{ids[0]}").status == 404


def test_without_authentication_every_client_is_the_tenant_default(open_server: Server, anyone: Client) -> None:
    job_id = anyone.submit(single())
    with client_of(open_server, open_server.new_key("default")) as client:
        assert client.job(job_id)["job_id"] == job_id


def test_folders_of_all_tenants_alike_are_served_only_while_there_is_one(
    start_server: StartServer, recordings: Path
) -> None:
    server = start_server("--no-worker", BATCHSCRIBE_FILE_ROOTS=str(recordings))
    uris = (recordings / "a.wav").as_uri(), (recordings / "a.json").as_uri()
    body = changed(single(*uris), {"input.source": ABSENT, "output.destination": ABSENT})
    with client_of(server, server.new_key("alice")) as alice:
        alice.submit(body)
        server.new_key("bob")
        answer = alice.refused(body)
        assert "BATCHSCRIBE_FILE_ROOTS" in answer.body["message"]
        assert {mistake["field"] for mistake in answer.body["errors"]} == {"input.uri", "output.uri"}
        assert alice.call("POST", "/jobs?dry_run=true", 400, json=body).reason == "VALIDATION_FAILED"


def test_one_tenant_does_not_reach_the_folder_of_another(bob: Client, recordings: Path) -> None:
    body = single((recordings / "a.wav").as_uri(), "s3://calls/a.json")
    answer = bob.refused(changed(body, {"input.source": ABSENT}))
    assert answer.body["errors"][0]["field"] == "input.uri"
