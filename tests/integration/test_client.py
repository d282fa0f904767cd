"""The client against a small real HTTP server that follows the contract."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import jwt
import pytest

from batchscribe.client import Client
from batchscribe.client import attempts as client_attempts
from batchscribe.client.address import Address
from batchscribe.client.attempts import Call, attempts
from batchscribe.client.connection import Connection
from batchscribe.client.polling import PollSchedule
from batchscribe.errors import ServerError, ServerRefused, ServerUnreachable
from tests.servers.scripted import Answering, Asked, Reply, ScriptedServer, in_turn, scripted_server

KEY = "key_0123456789"
SECRET = "a-secret-of-more-than-thirty-two-bytes"
BODY = {"input": {"uri": "s3://calls/"}, "output": {"uri": "s3://out/"}, "config": {}}
SUBMITTED = {"job_id": "job_1", "state": "QUEUED", "submitted_at": "2026-11-24T12:00:00Z"}
CREATED = Reply(201, SUBMITTED)
IDS = {"job_id": "job_1", "file_id": "f_1", "state": "QUEUED"}
JOBS = "/v2/aiservices/scribe/jobs"
NOT_FOUND = {"code": 404, "reason": "JOB_NOT_FOUND", "message": "There is no job job_2."}

Start = Callable[[Answering], tuple[ScriptedServer, Client]]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_attempts, "PAUSES_SEC", (0.01, 0.01, 0.01))


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a server. Return it with a client that has an API key and secret."""
    with ExitStack() as stack:

        def started(answering: Answering) -> tuple[ScriptedServer, Client]:
            server = stack.enter_context(scripted_server(answering))
            return server, stack.enter_context(Client(server.url, api_key=KEY, api_secret=SECRET))

        yield started


def pages(name: str, *sizes: int) -> Answering:
    """Numbered items; the token of a page is its number."""

    def answer(asked: Asked) -> Reply:
        page = int(asked.query.get("next_page_token", "0"))
        first = sum(sizes[:page])
        items = [IDS | {"number": first + index} for index in range(sizes[page])]
        token = str(page + 1) if page + 1 < len(sizes) else ""
        return Reply(200, {name: items, "next_page_token": token})

    return answer


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def test_a_job_is_submitted_as_json_with_a_signed_token_and_an_idempotency_key(start: Start) -> None:
    server, client = start(in_turn(CREATED))
    assert client.submit(BODY).raw == SUBMITTED
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.query) == ("POST", JOBS, {})
    assert asked.json() == BODY
    assert asked.headers["content-type"] == "application/json"
    assert len(asked.headers["idempotency-key"]) >= 32
    scheme, token = asked.headers["authorization"].split()
    assert scheme == "Bearer"
    assert jwt.decode(token, SECRET, algorithms=["HS256"])["iss"] == KEY


def test_two_submissions_are_two_jobs_unless_the_caller_says_otherwise(start: Start) -> None:
    server, client = start(in_turn(CREATED))
    for key in (None, None, "mine", "mine"):
        client.submit(BODY, idempotency_key=key)
    keys = [asked.headers["idempotency-key"] for asked in server.asked]
    assert keys[0] != keys[1]
    assert keys[2:] == ["mine", "mine"]


def test_a_plain_key_is_sent_as_it_is_and_no_key_sends_no_header(start: Start) -> None:
    server, _ = start(in_turn(Reply(200, IDS)))
    for key in (KEY, None):
        with Client(server.url, api_key=key) as client:
            client.job("job_1")
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in server.asked[1].headers


def test_a_dry_run_says_so_in_the_query(start: Start) -> None:
    server, client = start(in_turn(Reply(200, {"dry_run": True, "matched": 3})))
    assert client.dry_run(BODY).raw == {"dry_run": True, "matched": 3}
    assert server.asked[0].query == {"dry_run": "true"}
    assert server.asked[0].json() == BODY


def test_jobs_and_files_come_page_by_page_and_only_as_far_as_they_are_read(start: Start) -> None:
    server, client = start(pages("jobs", 2, 2, 1))
    assert [job.raw["number"] for job in client.jobs(state="FAILED")] == [0, 1, 2, 3, 4]
    assert [asked.query for asked in server.asked] == [
        {"state": "FAILED"},
        {"state": "FAILED", "next_page_token": "1"},
        {"state": "FAILED", "next_page_token": "2"},
    ]
    server.asked.clear()
    assert [job.raw["number"] for job in client.jobs(limit=3)] == [0, 1, 2]
    assert [asked.query for asked in server.asked] == [{"page_size": "3"}, {"page_size": "3", "next_page_token": "1"}]

    server, client = start(pages("files", 2, 2, 2))
    files = client.files("job_1", state="FILE_FAILED", page_size=2)
    assert [next(files).raw["number"] for _ in range(3)] == [0, 1, 2]
    assert server.asked[0].path == f"{JOBS}/job_1/files"
    assert server.asked[0].query == {"state": "FILE_FAILED", "page_size": "2"}
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "page",
    [{"jobs": [], "next_page_token": "again"}, {"jobs": "none"}, {"jobs": [1]}, {}, {"jobs": [], "next_page_token": 7}],
)
def test_pages_without_sense_or_end_are_an_error(start: Start, page: dict[str, Any]) -> None:
    _, client = start(in_turn(Reply(200, page)))
    with pytest.raises(ServerError, match="is it a batchscribe server"):
        list(client.jobs())


def test_one_file_is_requested_by_its_quoted_id(start: Start) -> None:
    server, client = start(in_turn(Reply(200, IDS)))
    assert client.file("job_1", "f/1").raw == IDS
    assert server.asked[0].path == f"{JOBS}/job_1/files/f%2F1"


def test_cancel_needs_no_body_in_the_answer(start: Start) -> None:
    server, client = start(in_turn(Reply(204)))
    client.cancel("job_1")
    assert (server.asked[0].method, server.asked[0].path) == ("DELETE", f"{JOBS}/job_1")


def test_fresh_credentials_are_put_for_the_sides_that_get_some(start: Start) -> None:
    server, client = start(in_turn(Reply(204)))
    keys = {"access_key_id": "a", "secret_access_key": "b", "session_token": "c"}
    client.renew_credentials("job_1", input_auth={"aws": keys})
    client.renew_credentials("job_1", input_auth={"aws": keys}, output_auth={"aws": keys})
    one, both = server.asked
    assert (one.method, one.path) == ("PUT", f"{JOBS}/job_1/credentials")
    assert one.headers["content-type"] == "application/json"
    assert one.json() == {"input": {"auth": {"aws": keys}}}
    assert both.json() == {"input": {"auth": {"aws": keys}}, "output": {"auth": {"aws": keys}}}


def test_a_rejection_is_passed_on_and_not_retried(start: Start) -> None:
    server, client = start(in_turn(Reply(404, NOT_FOUND)))
    for ask in (lambda: client.job("job_2"), lambda: client.cancel("job_2"), lambda: list(client.files("job_2"))):
        with pytest.raises(ServerRefused, match="There is no job job_2") as refused:
            ask()
        assert (refused.value.status, refused.value.reason) == (404, "JOB_NOT_FOUND")
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_a_request_to_a_busy_server_is_repeated_with_the_same_idempotency_key(start: Start, status: int) -> None:
    busy = Reply(status, {"message": "Later."}, {"Retry-After": "0"})
    server, client = start(in_turn(busy, busy, busy, CREATED))
    assert client.submit(BODY).raw == SUBMITTED
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 1
    assert len(server.asked) == 4


def test_a_server_that_stays_busy_is_reported_after_four_tries(start: Start) -> None:
    server, client = start(in_turn(Reply(429, {"message": "Later."}, {"Retry-After": "0"})))
    with pytest.raises(ServerRefused, match="Later"):
        client.job("job_1")
    assert len(server.asked) == 4


def test_a_busy_server_without_retry_after_is_reported_immediately(start: Start) -> None:
    server, client = start(in_turn(Reply(503, {"message": "Out of order."})))
    with pytest.raises(ServerRefused, match="Out of order"):
        client.job("job_1")
    assert len(server.asked) == 1


def test_after_a_lost_answer_the_same_key_and_body_are_sent_again(start: Start) -> None:
    server, client = start(in_turn(Reply(hang_up=True), CREATED))
    assert client.submit(BODY).raw == SUBMITTED
    first, second = server.asked
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


def test_a_cancel_whose_answer_was_lost_is_not_sent_again(start: Start) -> None:
    """It may have been carried out, and the next request would fail because the job had ended."""
    server, client = start(in_turn(Reply(hang_up=True), Reply(204)))
    with pytest.raises(ServerUnreachable):
        client.cancel("job_1")
    assert len(server.asked) == 1


def test_a_server_that_is_not_running_is_named_without_its_password() -> None:
    port = closed_port()
    with (
        Client(f"http://me:hunter2@127.0.0.1:{port}", api_key=KEY, api_secret=SECRET) as client,
        pytest.raises(ServerUnreachable, match=f"http://127.0.0.1:{port} cannot be reached") as unreachable,
    ):
        client.submit(BODY)
    assert "batchscribe serve" in str(unreachable.value)
    for secret in ("hunter2", KEY, SECRET):
        assert secret not in str(unreachable.value)


def test_a_server_that_starts_a_moment_later_is_found() -> None:
    """Nothing was sent before, so even a request that must not be repeated is retried."""
    address = Address.of(f"http://127.0.0.1:{closed_port()}")
    call = Call("DELETE", address.url("jobs", "job_1"), repeatable=False)
    with ExitStack() as later:

        def start_it(_: float) -> None:
            port = int(address.shown.rpartition(":")[2])
            later.enter_context(scripted_server(in_turn(Reply(204)), port=port))

        connection = Connection(None, timeout_sec=5.0, sleep=start_it)
        later.callback(connection.close)
        outcome = connection.carry_out(attempts(call))
        assert isinstance(outcome, httpx2.Response)
        assert outcome.status_code == 204


def test_a_server_that_does_not_answer_in_time_is_reported(start: Start) -> None:
    def slow(_: Asked) -> Reply:
        time.sleep(0.5)
        return Reply(204)

    server, _ = start(slow)
    with (
        Client(server.url, timeout_sec=0.1) as client,
        pytest.raises(ServerUnreachable, match=r"did not answer within 0\.1 s"),
    ):
        client.cancel("job_1")


def test_another_kind_of_server_is_recognized(start: Start) -> None:
    _, client = start(in_turn(Reply(200, b"<h1>It works!</h1>")))
    with pytest.raises(ServerError, match="is it a batchscribe server"):
        client.job("job_1")


def test_bytes_that_cannot_be_unpacked_are_an_error_of_the_server(start: Start) -> None:
    _, client = start(in_turn(Reply(200, b"no gzip", {"Content-Encoding": "gzip"})))
    with pytest.raises(ServerError, match="cannot be decoded"):
        client.job("job_1")


def test_waiting_outlives_a_restart_of_the_server(start: Start) -> None:
    busy, done = Reply(200, IDS | {"state": "PROCESSING"}), Reply(200, IDS | {"state": "SUCCEEDED"})
    gone = [Reply(hang_up=True)] * 8  # two polls of four tries each
    _, client = start(in_turn(busy, *gone, Reply(502, b"<h1>Bad Gateway</h1>"), busy, done))
    told: list[object] = []
    pace = PollSchedule(first_sec=0.01, longest_sec=0.02)
    assert client.wait("job_1", pace=pace, on_poll=lambda job: told.append(job.state)).state == "SUCCEEDED"
    assert told == ["PROCESSING", "PROCESSING", "SUCCEEDED"]


def test_a_retry_sends_only_the_credentials_that_are_given_and_is_not_repeated(start: Start) -> None:
    server, client = start(in_turn(Reply(503, {}), Reply(202, SUBMITTED), Reply(202, SUBMITTED)))
    with pytest.raises(ServerRefused):
        client.retry("job_1")
    assert client.retry("job_1").raw == SUBMITTED
    client.retry("job_1", input_auth={"aws": {}}, output_auth={"gcp": {}})
    assert [(asked.method, asked.path) for asked in server.asked] == [("POST", f"{JOBS}/job_1/retry")] * 3
    bodies = [asked.json() for asked in server.asked]
    assert bodies == [{}, {}, {"input": {"auth": {"aws": {}}}, "output": {"auth": {"gcp": {}}}}]


def test_a_deletion_asks_for_a_purge_and_is_not_repeated(start: Start) -> None:
    server, client = start(in_turn(Reply(503, {}), Reply(204)))
    with pytest.raises(ServerRefused):
        client.delete("job_1")
    client.delete("job_1")
    (_, asked) = server.asked
    assert (asked.method, asked.path, asked.query) == ("DELETE", f"{JOBS}/job_1", {"purge": "true"})


def test_deliveries_are_listed_and_replayed(start: Start) -> None:
    found = {"deliveries": [{"event_id": "evt_1"}], "can_replay": True}
    server, client = start(in_turn(Reply(200, found), Reply(202, {"event_id": "evt_1"})))
    assert client.deliveries("job_1").raw == found
    assert client.replay("job_1", "evt_1").raw == {"event_id": "evt_1"}
    paths = [(asked.method, asked.path) for asked in server.asked]
    log = f"{JOBS}/job_1/deliveries"
    assert paths == [("GET", log), ("POST", f"{log}/evt_1/replay")]
