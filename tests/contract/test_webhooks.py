"""Webhooks: content, signature and retries (contract 3).

`hooks` submits all jobs at once, each with a separate path of the receiver; each test checks one of them.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.contract.bodies import WEBHOOK_SECRET, hook, manifest, prefix, single
from tests.contract.client import Client
from tests.contract.conftest import NewDatabase, StartServer, client_of
from tests.contract.receiver import Delivery, Hook, Receiver, Reply, running_receiver
from tests.contract.strict import Json, check_job, check_no_secret_names, parsed
from tests.integration.command import wait_until
from tests.servers.s3_server import S3Server

AGAIN = (408, 425, 429, 500, 502, 503, 504)
NEVER_AGAIN = (400, 401, 403, 404, 405, 410, 413, 422)
DONE = (200, 201, 202, 204, 299)
REDIRECTS = (301, 302, 303, 307, 308)

#: Longer than several retries of the servers here.
QUIET_SEC = 2.5


@dataclass(slots=True)
class Told:
    """A job, and the path of its webhook."""

    job_id: str
    hook: Hook


@pytest.fixture(scope="module")
def bucket(new_database: NewDatabase, moto_s3: S3Server, wav: bytes) -> str:
    """One bucket per database, because existing transcripts would affect the next jobs."""
    return moto_s3.new_bucket(**{"a.wav": wav})


@pytest.fixture(scope="module")
def elsewhere(receiver: Receiver) -> Hook:
    """The target of redirects, which must never get a request."""
    return receiver.hook(path="/elsewhere")


@pytest.fixture(scope="module")
def hooks(alice: Client, receiver: Receiver, bucket: str, elsewhere: Hook) -> dict[str, Told]:
    """Jobs and paths by the behavior of the receiver."""
    replies: dict[str, tuple[Reply, ...]] = {
        "slow": (Reply(delay_sec=60), Reply()),
        "hangs up": (Reply(hangs_up=True), Reply()),
        "503 twice": (Reply(503), Reply(503), Reply()),
        "retry after": (Reply(429, {"Retry-After": "2"}), Reply()),
        "retry after a year": (Reply(503, {"Retry-After": "31536000"}), Reply()),
    }
    replies |= {str(status): (Reply(status),) for status in (*DONE, *NEVER_AGAIN)}
    replies |= {str(status): (Reply(status), Reply()) for status in AGAIN}
    replies |= {str(status): (Reply(status, {"Location": elsewhere.url}),) for status in REDIRECTS}
    return {name: tell(alice, receiver.hook(*wanted), bucket) for name, wanted in replies.items()}


def tell(client: Client, told: Hook, bucket: str) -> Told:
    name = told.url.rpartition("/")[2]
    body = single(f"s3://{bucket}/a.wav", f"s3://{bucket}/told/{name}.json", notifications=hook(told.url))
    return Told(client.submit(body), told)


def attempts_of(client: Client, told: Told) -> list[Json]:
    """Return the recorded attempts. Each is recorded a moment after the receiver has answered."""
    [delivery] = client.get(f"/jobs/{told.job_id}/deliveries")["deliveries"]
    attempts: list[Json] = delivery["attempts"]
    return attempts


def is_checked(delivery: Delivery) -> None:
    """Check what holds for every delivery."""
    assert delivery.method == "POST"
    assert delivery.headers["content-type"] == "application/json"
    assert re.fullmatch(r"\d{10}", delivery.headers["x-zm-request-timestamp"])
    assert abs(int(delivery.headers["x-zm-request-timestamp"]) - delivery.at) < 60
    body = parsed(delivery.raw_body)
    check_no_secret_names(body)
    check_job(body["job"])
    assert set(body) == {"event_type", "event_id", "event_ts", "job"}
    assert body["event_type"] == f"job.{body['job']['state'].lower()}"
    assert body["event_id"].startswith("evt_")
    assert abs(body["event_ts"] - delivery.at) < 60
    assert isinstance(body["event_ts"], int)
    assert WEBHOOK_SECRET not in str(delivery.headers) + delivery.raw_body.decode()


def signed_by_the_secret(deliveries: list[Delivery]) -> bool:
    for delivery in deliveries:
        is_checked(delivery)
        assert re.fullmatch(r"sha256=[0-9a-f]{64}", delivery.headers["x-zm-signature"])
    return all(delivery.is_signed_with(WEBHOOK_SECRET) for delivery in deliveries)


# --- what is sent ------------------------------------------------------------------------------------------------


def test_a_job_that_succeeded_says_so_once_signed_with_its_secret(alice: Client, hooks: dict[str, Told]) -> None:
    told = hooks["200"]
    deliveries = told.hook.wait_for(1)
    assert signed_by_the_secret(deliveries)
    assert deliveries[0].body["event_type"] == "job.succeeded"
    assert deliveries[0].body["job"] == alice.job(told.job_id)


def test_a_signature_is_that_of_no_other_secret(hooks: dict[str, Told]) -> None:
    assert not hooks["200"].hook.wait_for(1)[0].is_signed_with(WEBHOOK_SECRET + "x")


def test_without_a_secret_there_is_a_timestamp_and_no_signature(alice: Client, receiver: Receiver, bucket: str) -> None:
    told = receiver.hook()
    uris = (f"s3://{bucket}/a.wav", f"s3://{bucket}/told/unsigned.json")
    alice.submit(single(*uris, notifications=hook(told.url, None), reference_id="call 8"))
    delivery = told.wait_for(1)[0]
    is_checked(delivery)
    assert "x-zm-signature" not in delivery.headers
    assert delivery.body["job"]["reference_id"] == "call 8"


@pytest.mark.parametrize("state", ["PARTIAL", "FAILED", "FAILED EMPTY"])
def test_each_last_state_has_its_event(alice: Client, receiver: Receiver, bucket: str, state: str) -> None:
    there, missing, out = f"s3://{bucket}/a.wav", f"s3://{bucket}/missing.wav", f"s3://{bucket}/{state}/"
    told = receiver.hook()
    bodies = {
        "PARTIAL": manifest(there, missing, output=out, notifications=hook(told.url)),
        "FAILED": manifest(missing, output=out, notifications=hook(told.url)),
        "FAILED EMPTY": prefix(f"s3://{bucket}/empty/", out, notifications=hook(told.url)),
    }
    job_id = alice.submit(bodies[state])
    assert_event(told.wait_for(1)[0], state.split()[0], job_id)


def test_a_canceled_job_has_its_event(start_server: StartServer, receiver: Receiver, bucket: str) -> None:
    """The worker, which sends it, starts after the cancellation: otherwise it might end the job before."""
    told, server = receiver.hook(), start_server("--no-worker")
    with client_of(server, server.new_key("hasty")) as client:
        job_id = tell(client, told, bucket).job_id
        client.cancel(job_id)
    with server.working():
        assert_event(told.wait_for(1)[0], "CANCELED", job_id)


def assert_event(delivery: Delivery, state: str, job_id: str) -> None:
    is_checked(delivery)
    assert delivery.body["event_type"] == f"job.{state.lower()}"
    assert delivery.body["job"]["job_id"] == job_id


def test_a_query_and_a_path_with_escapes_arrive_as_they_were_written(
    alice: Client, receiver: Receiver, bucket: str
) -> None:
    told = receiver.hook(path="/hooks/a%20b/%C3%BC?x=1&y=%2F")
    alice.submit(single(f"s3://{bucket}/a.wav", f"s3://{bucket}/told/q.json", notifications=hook(told.url)))
    told.wait_for(1)


# --- retries -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", DONE)
def test_any_success_is_the_end_of_it(hooks: dict[str, Told], status: int) -> None:
    assert_sent(hooks[str(status)].hook, 1)


@pytest.mark.parametrize("status", NEVER_AGAIN)
def test_what_the_receiver_refuses_is_not_sent_again(hooks: dict[str, Told], status: int) -> None:
    assert_sent(hooks[str(status)].hook, 1)


@pytest.mark.parametrize("status", AGAIN)
def test_what_the_receiver_could_not_take_is_sent_again(hooks: dict[str, Told], status: int) -> None:
    assert_sent(hooks[str(status)].hook, 2)


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_is_not_followed(alice: Client, hooks: dict[str, Told], elsewhere: Hook, status: int) -> None:
    told = hooks[str(status)]
    wait_until(lambda: len(attempts_of(alice, told)) == 1)
    assert attempts_of(alice, told)[0]["status"] == status
    assert (len(told.hook.deliveries), elsewhere.deliveries) == (1, [])


def test_each_attempt_has_a_fresh_signature_and_the_same_event(hooks: dict[str, Told]) -> None:
    deliveries = hooks["503 twice"].hook.wait_for(3)
    assert signed_by_the_secret(deliveries)
    assert len({delivery.body["event_id"] for delivery in deliveries}) == 1
    assert len({delivery.body["event_type"] for delivery in deliveries}) == 1


def test_events_of_different_jobs_have_different_ids(hooks: dict[str, Told]) -> None:
    ids = [hooks[str(status)].hook.wait_for(1)[0].body["event_id"] for status in DONE]
    assert len(set(ids)) == len(DONE)


def test_a_receiver_says_when_to_come_again(hooks: dict[str, Told]) -> None:
    first, second = hooks["retry after"].hook.wait_for(2)
    assert second.at - first.at >= 1.9
    assert signed_by_the_secret([first, second])
    assert first.headers["x-zm-request-timestamp"] != second.headers["x-zm-request-timestamp"]


def test_a_connection_that_is_closed_without_an_answer_is_tried_again(hooks: dict[str, Told]) -> None:
    assert signed_by_the_secret(hooks["hangs up"].hook.wait_for(2))


def test_a_receiver_that_is_down_gets_its_event_when_it_is_up_again(alice: Client, bucket: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}/late"
    body = single(f"s3://{bucket}/a.wav", f"s3://{bucket}/told/late.json", notifications=hook(url))
    alice.done(body)
    time.sleep(1)
    with running_receiver(port, "/late") as receiver:
        assert signed_by_the_secret(receiver.hooks["/late"].wait_for(1))


def test_deliveries_that_fail_change_no_job(alice: Client, hooks: dict[str, Told]) -> None:
    for name in ("410", "503 twice", "302", "hangs up"):
        hooks[name].hook.wait_for(1)
        assert alice.job(hooks[name].job_id)["state"] == "SUCCEEDED"


def test_a_receiver_that_does_not_answer_within_ten_seconds_is_tried_again(
    alice: Client, hooks: dict[str, Told]
) -> None:
    told = hooks["slow"]
    assert signed_by_the_secret(told.hook.wait_for(2))
    first = attempts_of(alice, told)[0]
    assert first["error"] == "The receiver did not answer within 10 s."
    assert 9.5 <= first["took_sec"] < 60


def assert_sent(told: Hook, times: int) -> None:
    deliveries = told.wait_for(times)
    time.sleep(max(0.0, QUIET_SEC - (time.time() - deliveries[-1].at)))
    assert len(told.deliveries) == times


# --- the start of a job ------------------------------------------------------------------------------------------


def test_the_start_of_a_job_is_sent_if_the_operator_wants_it(
    start_server: StartServer, receiver: Receiver, bucket: str
) -> None:
    server = start_server(BATCHSCRIBE_WEBHOOK_PROCESSING="true")
    with client_of(server, server.new_key("eager")) as client:
        told = tell(client, receiver.hook(), bucket)
        deliveries = told.hook.wait_for(2)
    assert signed_by_the_secret(deliveries)
    assert {delivery.body["event_type"] for delivery in deliveries} == {"job.processing", "job.succeeded"}
    assert len({delivery.body["event_id"] for delivery in deliveries}) == 2


# --- allowed addresses -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(start_server: StartServer) -> Iterator[Client]:
    """A server without allowed networks."""
    nothing = {"BATCHSCRIBE_WEBHOOK_ALLOW_HTTP": "false", "BATCHSCRIBE_WEBHOOK_ALLOW_NETWORKS": ""}
    server = start_server("--no-worker", **nothing)
    with client_of(server, server.new_key("guarded")) as client:
        yield client


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "https://127.1/hook",
        "https://2130706433/hook",
        "https://0x7f000001/hook",
        "https://0177.0.0.1/hook",
        "https://0/hook",
        "https://localhost/hook",
        "https://LOCALHOST:8443/hook",
        "https://hooks.localhost/hook",
        "https://10.1.2.3/hook",
        "https://172.16.0.1/hook",
        "https://192.168.1.1/hook",
        "https://100.64.0.1/hook",
        "https://169.254.169.254/latest/meta-data/",
        "https://224.0.0.1/hook",
        "https://255.255.255.255/hook",
        "https://[::1]/hook",
        "https://[::]/hook",
        "https://[::ffff:127.0.0.1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://[64:ff9b::7f00:1]/hook",
        "https://[2002:7f00:1::]/hook",
        "https://[fe80::1]/hook",
        "https://[fd00::1]/hook",
        "https://\uff11\uff12\uff17.0.0.1/hook",  # digits that some resolvers read as ASCII
    ],
)
def test_an_address_that_can_never_be_allowed_is_refused_at_submit(guarded: Client, url: str) -> None:
    answer = guarded.refused(single(notifications=hook(url)))
    assert (answer.reason, answer.fields) == ("VALIDATION_FAILED", ["notifications.webhook_url"])


@pytest.mark.parametrize(
    "url", ["https://example.com/hook", "https://example.com:8443/hook?x=1", "https://1.1.1.1/hook"]
)
def test_a_public_https_address_is_accepted(guarded: Client, url: str) -> None:
    guarded.submit(single(notifications=hook(url)))


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/hook", "http://169.254.169.254/", "http://[::1]/hook", "http://128.0.0.1.nip.io:0/"]
)
def test_what_the_operator_allows_is_all_that_is_allowed(idle: Client, url: str) -> None:
    idle.refused(single(notifications=hook(url)))
