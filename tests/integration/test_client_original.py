"""The clients with answers of the original service, which have fewer fields, nulls, and perhaps new ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from batchscribe import AsyncClient, Client
from batchscribe.client import attempts as client_attempts
from batchscribe.client.polling import PollSchedule
from batchscribe.errors import ServerError, ServerRefused, ServerUnreachable
from tests.servers.scripted import Answering, Asked, Reply, ScriptedServer, in_turn, scripted_server

SUBMITTED = {"job_id": "job_abc123", "state": "QUEUED", "submitted_at": "2026-01-05T18:12:40Z"}
SUMMARY = {"total_files": 40, "queued": 0, "processing": 3, "succeeded": 36, "failed": 1, "skipped": 0}
PROCESSING = SUBMITTED | {"state": "PROCESSING", "summary": SUMMARY, "error": None}
PARTIAL = PROCESSING | {"state": "PARTIAL", "cost": {"credits": 3}}
WAITING = {"file_id": "f_001", "input_uri": "s3://a/b.wav", "output_uri": None, "state": "FILE_NEW_STATE"}
FAILED = WAITING | {
    "file_id": "f_002",
    "state": "FILE_FAILED",
    "error": {"code": "UNSUPPORTED_MEDIA", "message": "OGG"},
}
QUICK = PollSchedule(first_sec=0.01, longest_sec=0.02)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_attempts, "PAUSES_SEC", (0.01, 0.01, 0.01))


def original(asked: Asked) -> Reply:
    """Answer with the required fields of the vendor's OpenAPI document only."""
    last = asked.path.rpartition("/")[2]
    if asked.method == "POST":
        return Reply(201, SUBMITTED)
    if last == "files":
        is_first = "next_page_token" not in asked.query
        page = {"files": [WAITING], "next_page_token": "eyJ0"} if is_first else {"files": [FAILED]}
        return Reply(200, page)
    return Reply(200, PARTIAL)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server(original) as server:
        yield server


def test_answers_with_the_required_fields_only_are_read(server: ScriptedServer) -> None:
    with Client(f"{server.url}/v2", api_key="a-plain-key") as client:
        submitted = client.submit(input="s3://a/", output="s3://b/", config={"language": "en-US"})
        job = client.wait(submitted.job_id)
        waiting, failed = client.files(job.job_id)
    assert (job.summary.failed, job.summary.canceled, job.completed_at, job.error) == (1, 0, None, None)
    assert job.raw["cost"] == {"credits": 3}
    assert (waiting.state, waiting.output_uri, waiting.raw["output_uri"]) == ("FILE_NEW_STATE", "", None)
    assert failed.error is not None
    assert failed.error.code == "UNSUPPORTED_MEDIA"


def test_a_submission_has_what_the_original_requires(server: ScriptedServer) -> None:
    with Client(server.url) as client:
        client.submit(input="s3://a/calls/", output="s3://b/out/")
    assert server.asked[0].json() == {
        "input": {"source": "S3", "uri": "s3://a/calls/"},
        "output": {"destination": "S3", "uri": "s3://b/out/"},
        "config": {},
    }


def test_the_asynchronous_client_sends_the_same_requests(server: ScriptedServer) -> None:
    async def follow() -> None:
        async with AsyncClient(server.url) as client:
            job = await client.submit(input="s3://a/", output="s3://b/", idempotency_key="mine")
            await client.wait(job.job_id)
            async for _ in client.files(job.job_id, state="FILE_FAILED"):
                pass
            await client.cancel(job.job_id)

    asyncio.run(follow())
    asynchronous = [(asked.method, asked.path, asked.query, asked.body) for asked in server.asked]
    server.asked.clear()
    with Client(server.url) as client:
        job = client.submit(input="s3://a/", output="s3://b/", idempotency_key="mine")
        client.wait(job.job_id)
        list(client.files(job.job_id, state="FILE_FAILED"))
        client.cancel(job.job_id)
    assert [(asked.method, asked.path, asked.query, asked.body) for asked in server.asked] == asynchronous
    assert len(asynchronous) == 5


def asynchronously(answering: Answering) -> tuple[str, list[str], float, int]:
    """Wait for a job. Return its state, the polled states, the seconds and the number of requests."""

    async def wait(url: str) -> tuple[str, list[str]]:
        told: list[str] = []
        async with AsyncClient(url, timeout_sec=5) as client:
            job = await client.wait("job_abc123", pace=QUICK, on_poll=lambda job: told.append(job.state))
        return job.state, told

    began_at = time.monotonic()
    with scripted_server(answering) as server:
        state, told = asyncio.run(wait(server.url))
        return state, told, time.monotonic() - began_at, len(server.asked)


def test_the_asynchronous_client_pauses_as_the_server_asks() -> None:
    busy = Reply(429, {"message": "Later."}, {"Retry-After": "1"})
    state, told, took_sec, count = asynchronously(in_turn(busy, Reply(200, PARTIAL)))
    assert (state, told, count) == ("PARTIAL", ["PARTIAL"], 2)
    assert took_sec >= 1


def test_a_pause_in_the_body_is_kept() -> None:
    busy = Reply(429, {"message": "Later.", "metadata": {"retry_after_seconds": 1}})
    state, _, took_sec, count = asynchronously(in_turn(busy, Reply(200, PARTIAL)))
    assert (state, count) == ("PARTIAL", 2)
    assert took_sec >= 1


@pytest.mark.parametrize("body", [b"Later", [], {}, {"metadata": 7}, {"metadata": {"retry_after_seconds": None}}])
def test_without_a_pause_a_busy_server_is_reported_at_once(body: object) -> None:
    with pytest.raises(ServerRefused):
        asynchronously(in_turn(Reply(429, body), Reply(200, PARTIAL)))


def test_the_asynchronous_client_outlives_a_restart_of_the_server() -> None:
    gone = [Reply(hang_up=True)] * 8  # two polls of four tries each
    answers = in_turn(Reply(200, PROCESSING), *gone, Reply(502, b"<h1>Bad Gateway</h1>"), Reply(200, PARTIAL))
    state, told, _, _ = asynchronously(answers)
    assert (state, told) == ("PARTIAL", ["PROCESSING", "PARTIAL"])


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    [
        (Reply(hang_up=True), ServerUnreachable, "cannot be reached"),
        (Reply(200, b"no gzip", {"Content-Encoding": "gzip"}), ServerError, "cannot be decoded"),
        (Reply(404, {"reason": "JOB_NOT_FOUND", "message": "There is no job."}), ServerRefused, "There is no job"),
        (Reply(200, {"state": "QUEUED"}), ServerError, "has no valid job_id; is it a batchscribe server"),
        (Reply(200, PARTIAL | {"summary": 7}), ServerError, "has no valid summary"),
    ],
)
def test_the_asynchronous_client_raises_the_same_errors(reply: Reply, error: type[ServerError], message: str) -> None:
    with pytest.raises(error, match=message):
        asynchronously(in_turn(reply))
