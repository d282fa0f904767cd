"""The log of a job's webhook deliveries, and replays (extension 5), with a real receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.bodies import WEBHOOK_SECRET, hook, single
from tests.contract.client import Answer, Client
from tests.contract.conftest import NewDatabase, StartServer, client_of
from tests.contract.receiver import Hook, Receiver, Reply
from tests.contract.strict import Json
from tests.integration.command import wait_until
from tests.servers.s3_server import S3Server


@pytest.fixture(scope="module")
def bucket(new_database: NewDatabase, moto_s3: S3Server, wav: bytes) -> str:
    """One bucket per database, because existing transcripts would affect the next jobs."""
    return moto_s3.new_bucket(**{"a.wav": wav})


@pytest.fixture(scope="module")
def patient(start_server: StartServer) -> Iterator[Client]:
    """A tenant of a server that waits long before it sends an event again, and keeps no URLs."""
    server = start_server(BATCHSCRIBE_WEBHOOK_FIRST_RETRY_SEC="3600", BATCHSCRIBE_WEBHOOK_KEEP_SEC="0")
    with client_of(server, server.new_key("patient")) as client:
        yield client


def submit(client: Client, told: Hook, bucket: str) -> str:
    name = told.url.rpartition("/")[2]
    return client.submit(single(f"s3://{bucket}/a.wav", f"s3://{bucket}/{name}.json", notifications=hook(told.url)))


def delivery_of(client: Client, job_id: str) -> Json:
    [delivery] = client.get(f"/jobs/{job_id}/deliveries")["deliveries"]
    found: Json = delivery
    return found


def delivered(client: Client, job_id: str, *, attempts: int) -> Json:
    """Wait until the only event of the job is delivered with this number of attempts."""

    def is_over() -> bool:
        found = client.get(f"/jobs/{job_id}/deliveries")["deliveries"]
        return bool(found) and found[0]["state"] == "DELIVERED" and len(found[0]["attempts"]) == attempts

    wait_until(is_over, within_sec=60)
    return delivery_of(client, job_id)


def replay(client: Client, job_id: str, event_id: str, expect: int = 202) -> Answer:
    return client.call("POST", f"/jobs/{job_id}/deliveries/{event_id}/replay", expect)


def test_the_log_names_every_attempt_and_never_the_address(alice: Client, receiver: Receiver, bucket: str) -> None:
    told = receiver.hook(Reply(503), Reply())
    job_id = submit(alice, told, bucket)
    delivery = delivered(alice, job_id, attempts=2)
    assert delivery["event_type"] == "job.succeeded"
    assert [(each["attempt"], each["status"]) for each in delivery["attempts"]] == [(1, 503), (2, 200)]
    assert delivery["attempts"][0]["error"] == "The receiver answered 503."
    answer = alice.call("GET", f"/jobs/{job_id}/deliveries", 200)
    assert answer.body["can_replay"] is True
    assert b"hooks" not in answer.content
    assert b"127.0.0.1" not in answer.content


def test_a_job_without_a_webhook_has_no_deliveries(alice: Client, bucket: str) -> None:
    job_id = alice.submit(single(f"s3://{bucket}/a.wav", f"s3://{bucket}/silent.json"))
    assert alice.get(f"/jobs/{job_id}/deliveries") == {"deliveries": [], "can_replay": False}


def test_a_replay_sends_the_same_event_with_a_fresh_signature(alice: Client, receiver: Receiver, bucket: str) -> None:
    told = receiver.hook()
    job_id = submit(alice, told, bucket)
    event_id = delivered(alice, job_id, attempts=1)["event_id"]
    answer = replay(alice, job_id, event_id)
    assert (answer.body["event_id"], answer.body["state"]) == (event_id, "PENDING")
    assert "replayed_at" in answer.body
    first, second = told.wait_for(2)
    assert first.raw_body == second.raw_body
    assert second.body["event_id"] == event_id
    assert second.is_signed_with(WEBHOOK_SECRET)
    again = delivered(alice, job_id, attempts=2)
    assert [attempt["attempt"] for attempt in again["attempts"]] == [1, 2]


def test_an_event_that_was_refused_can_be_sent_again(alice: Client, receiver: Receiver, bucket: str) -> None:
    told = receiver.hook(Reply(404), Reply())
    job_id = submit(alice, told, bucket)
    wait_until(lambda: [each["state"] for each in alice.get(f"/jobs/{job_id}/deliveries")["deliveries"]] == ["REFUSED"])
    replay(alice, job_id, delivery_of(alice, job_id)["event_id"])
    assert [each["status"] for each in delivered(alice, job_id, attempts=2)["attempts"]] == [404, 200]


def test_an_event_that_waits_for_its_next_attempt_is_sent_now_and_only_once(
    patient: Client, receiver: Receiver, bucket: str
) -> None:
    told = receiver.hook(Reply(503), Reply())
    job_id = submit(patient, told, bucket)
    told.wait_for(1)
    wait_until(lambda: len(delivery_of(patient, job_id)["attempts"]) == 1)
    replay(patient, job_id, delivery_of(patient, job_id)["event_id"])
    delivered(patient, job_id, attempts=2)
    assert len(told.deliveries) == 2


def test_once_the_address_is_gone_a_replay_is_refused(patient: Client, receiver: Receiver, bucket: str) -> None:
    job_id = submit(patient, receiver.hook(), bucket)
    event_id = delivered(patient, job_id, attempts=1)["event_id"]
    assert patient.get(f"/jobs/{job_id}/deliveries")["can_replay"] is False
    answer = replay(patient, job_id, event_id, 409)
    assert answer.reason == "WEBHOOK_ADDRESS_GONE"
    assert delivery_of(patient, job_id)["state"] == "DELIVERED"


@pytest.mark.parametrize("event_id", ["evt_0", "evt_%00", "%20", "evt_" + "0" * 32])
def test_an_event_that_the_job_does_not_have_is_not_found(
    alice: Client, receiver: Receiver, bucket: str, event_id: str
) -> None:
    job_id = alice.submit(single(f"s3://{bucket}/a.wav", f"s3://{bucket}/none.json"))
    assert replay(alice, job_id, event_id, 404).reason == "DELIVERY_NOT_FOUND"


def test_the_events_of_another_tenant_do_not_exist(alice: Client, bob: Client, receiver: Receiver, bucket: str) -> None:
    told = receiver.hook()
    job_id = submit(alice, told, bucket)
    event_id = delivered(alice, job_id, attempts=1)["event_id"]
    assert bob.call("GET", f"/jobs/{job_id}/deliveries", 404).reason == "JOB_NOT_FOUND"
    assert replay(bob, job_id, event_id, 404).reason == "JOB_NOT_FOUND"
    own = submit(bob, receiver.hook(), bucket)
    assert replay(bob, own, event_id, 404).reason == "DELIVERY_NOT_FOUND"
    assert len(told.deliveries) == 1


def test_deliveries_need_a_key(nobody: Client) -> None:
    nobody.call("GET", "/jobs/job_0/deliveries", 401)
    nobody.call("POST", "/jobs/job_0/deliveries/evt_0/replay", 401)
