"""Fresh credentials for a running job (extension 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.bodies import MARKS, prefix, single
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server
from tests.contract.strict import BASES, Json
from tests.integration.command import wait_until
from tests.servers.bucket import Bucket, serving_bucket
from tests.servers.expiring import Tokens, is_opened, is_recording

NAMES = ("a", "b", "c", "d")


def aws(token: str = MARKS[2]) -> Json:
    return {"auth": {"aws": {"access_key_id": MARKS[0], "secret_access_key": MARKS[1], "session_token": token}}}


def renew(client: Client, job_id: str, body: object, expect: int = 204) -> Any:
    return client.call("PUT", f"/jobs/{job_id}/credentials", expect, json=body)


@pytest.mark.parametrize("body", [{"input": aws()}, {"output": aws()}, {"input": aws(), "output": aws(), "more": 1}])
@pytest.mark.parametrize("base", BASES)
def test_a_job_takes_fresh_credentials_with_an_empty_answer(idle: Client, base: str, body: Json) -> None:
    job_id = idle.submit(single())
    before = idle.job(job_id)
    assert renew(idle.but(base=base), job_id, body).content == b""
    assert idle.job(job_id) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "input.auth.aws"),
        ({"input": None, "output": {"auth": {}}}, "input.auth.aws"),
        ({"input": []}, "input"),
        ({"output": {"auth": {"aws": {"access_key_id": "a"}}}}, "output.auth.aws.secret_access_key"),
        ({"input": {"auth": {"aws": {"access_key_id": "", "secret_access_key": "b"}}}}, "input.auth.aws.access_key_id"),
        ({"input": aws("two\nlines")}, "input.auth.aws.session_token"),
    ],
)
def test_invalid_credentials_are_rejected_by_field(idle: Client, body: Json, field: str) -> None:
    job_id = idle.submit(single())
    answer = renew(idle, job_id, body, 400)
    assert (answer.reason, answer.fields) == ("VALIDATION_FAILED", [field])


def test_a_body_that_is_not_json_is_rejected_as_on_other_routes(idle: Client) -> None:
    path = f"/jobs/{idle.submit(single())}/credentials"
    idle.call("PUT", path, 400, content=b"[", headers={"Content-Type": "application/json"})
    idle.call("PUT", path, 415, content=b"{}", headers={"Content-Type": "text/plain"})


def test_a_job_that_has_ended_takes_none(idle: Client) -> None:
    job_id = idle.submit(single())
    idle.cancel(job_id)
    answer = renew(idle, job_id, {"input": aws()}, 400)
    assert (answer.reason, answer.body["code"]) == ("JOB_ENDED", 400)


def test_the_job_of_another_tenant_does_not_exist(alice: Client, bob: Client) -> None:
    job_id = alice.submit(single())
    assert renew(bob, job_id, {"input": aws()}, 404).reason == "JOB_NOT_FOUND"
    assert renew(bob, "job_0", {"input": aws()}, 404).reason == "JOB_NOT_FOUND"


def test_credentials_cannot_be_renewed_without_a_key(nobody: Client) -> None:
    renew(nobody, "job_0", {"input": aws()}, 401)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens("first")


@pytest.fixture
def bucket(tokens: Tokens, wav: bytes) -> Iterator[Bucket]:
    with serving_bucket({f"calls/{name}.wav": wav for name in NAMES}, tokens.check) as bucket:
        yield bucket


@pytest.fixture
def own_server(start_server: StartServer, bucket: Bucket) -> Iterator[Server]:
    server = start_server(BATCHSCRIBE_S3_ENDPOINT=bucket.endpoint)
    yield server
    server.kill()


def test_files_wait_through_a_killed_server_and_continue_with_fresh_credentials(
    own_server: Server, bucket: Bucket, tokens: Tokens
) -> None:
    tokens.is_checked = is_recording
    tokens.expire_at = is_opened("c.wav")
    key = own_server.new_key("patient")
    with client_of(own_server, key) as client:
        body = prefix("s3://bucket/calls/", "s3://bucket/out/")
        body["input"]["auth"], body["output"]["auth"] = aws("first")["auth"], None
        job_id = client.submit(body)
        wait_until(lambda: "waiting_for" in client.job(job_id))
        wait_until(lambda: client.job(job_id)["summary"]["processing"] == 0)
        assert client.job(job_id)["summary"]["failed"] == 0
    own_server.kill()
    own_server.start()
    with client_of(own_server, key) as client:
        assert client.job(job_id)["waiting_for"] == "credentials"
        tokens.expire_at = lambda _asked: False
        tokens.valid.add("fresh")
        renew(client, job_id, {"input": aws("fresh")})
        job = client.ended(job_id)
    assert (job["state"], job["summary"]["succeeded"]) == ("SUCCEEDED", 4)
    written = [key for key in bucket.puts if key.startswith("out/") and "/." not in key]
    assert sorted(written) == [f"out/{name}.json" for name in NAMES]
