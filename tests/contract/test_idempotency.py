"""Idempotency-Key: a repeated request creates no second job (extensions, row 2)."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.bodies import changed, manifest, single
from tests.contract.client import Answer, Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.strict import Json
from tests.servers.s3_server import S3Server


def post(client: Client, body: Json, key: str, **query: Any) -> Answer:
    return client.call("POST", "/jobs", json=body, headers={"Idempotency-Key": key}, params=query)


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


def test_the_same_body_again_gives_the_same_answer_and_no_second_job(idle: Client, key: str) -> None:
    answers = [post(idle, single(), key) for _ in range(3)]
    assert [answer.status for answer in answers] == [201] * 3
    assert answers[0].body == answers[1].body == answers[2].body
    newest = [job["job_id"] for job in idle.get("/jobs", page_size=2)["jobs"]]
    assert newest.count(answers[0].body["job_id"]) == 1
    assert newest[0] == answers[0].body["job_id"]


def test_the_answer_stays_the_same_when_the_job_has_ended(
    alice: Client, moto_s3: S3Server, wav: bytes, key: str
) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    body = single(f"s3://{bucket}/a.wav", f"s3://{bucket}/a.json")
    first = post(alice, body, key)
    alice.ended(first.body["job_id"])
    assert post(alice, body, key).body == first.body


@pytest.mark.parametrize(
    "changes",
    [
        {"reference_id": "another"},
        {"config.timestamps": False},
        {"input.uri": "s3://calls/b.wav"},
        {"input.auth.aws.secret_access_key": "another"},
        {"notifications": {"webhook_url": "http://127.0.0.1:9/"}},
    ],
)
def test_another_body_under_the_same_key_is_a_conflict(idle: Client, key: str, changes: Json) -> None:
    job_id = post(idle, single(), key).body["job_id"]
    answer = post(idle, changed(single(), changes), key)
    assert (answer.status, answer.reason) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert idle.get("/jobs", page_size=1)["jobs"][0]["job_id"] == job_id


def test_the_order_of_names_makes_no_other_body(idle: Client, key: str) -> None:
    body = single(reference_id="x")
    backwards = dict(reversed(body.items()))
    assert list(body) != list(backwards)
    assert post(idle, body, key).body == post(idle, backwards, key).body


def test_twenty_at_once_make_one_job(idle: Client, key: str) -> None:
    body = manifest(*[f"s3://calls/{number}.wav" for number in range(50)])
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(idle, body, key), range(20)))
    assert [answer.status for answer in answers] == [201] * 20
    assert len({answer.body["job_id"] for answer in answers}) == 1


def test_a_refused_body_takes_no_key(idle: Client, key: str) -> None:
    assert post(idle, changed(single(), {"config.timestamps": "yes"}), key).status == 400
    assert post(idle, single(), key).status == 201


def test_a_dry_run_takes_no_key(idle: Client, key: str, moto_s3: S3Server, wav: bytes) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    body = single(f"s3://{bucket}/a.wav")
    assert post(idle, body, key, dry_run="true").status == 200
    assert post(idle, body, key).status == 201


def test_without_a_key_the_same_body_makes_two_jobs(idle: Client) -> None:
    assert idle.submit(single()) != idle.submit(single())


def test_different_keys_make_different_jobs(idle: Client, key: str) -> None:
    assert post(idle, single(), key).body != post(idle, single(), f"{key}-2").body


@pytest.mark.parametrize("key", ["x", "a b", "x" * 255, "%00", "{}", '"quoted"', "../x"])
def test_a_key_may_be_of_any_shape(idle: Client, key: str) -> None:
    assert post(idle, single(), key).body == post(idle, single(), key).body


@pytest.mark.parametrize("key", ["", "x" * 10_000])
def test_an_invalid_key_is_never_a_server_error(idle: Client, key: str) -> None:
    assert post(idle, single(), key).status in (201, 400)


def test_a_key_is_remembered_over_a_crash(start_server: StartServer, key: str) -> None:
    server = start_server("--no-worker")
    owner = server.new_key("restarted")
    with client_of(server, owner) as client:
        first = post(client, single(), key).body
    server.kill()
    server.start()
    with client_of(server, owner) as client:
        assert post(client, single(), key).body == first
        assert [job["job_id"] for job in client.jobs()] == [first["job_id"]]
