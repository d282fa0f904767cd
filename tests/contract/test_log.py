"""Log lines of a running server: those about work name the tenant, the worker and the request."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.bodies import hook, manifest, prefix
from tests.contract.conftest import StartServer, client_of
from tests.contract.receiver import Receiver
from tests.contract.server import Server
from tests.integration.command import wait_until, wait_until_equal
from tests.servers.s3_server import S3Server

Line = dict[str, Any]


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Server:
    return start_server(BATCHSCRIBE_WORKER_NAME="night-shift")


def lines_about(server: Server, job_id: str) -> list[Line]:
    return [line for line in server.log_lines() if line.get("job_id") == job_id]


def test_every_line_about_work_says_job_tenant_worker_and_request(
    server: Server, moto_s3: S3Server, receiver: Receiver, wav: bytes
) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav, "b.wav": b"no recording"})
    with client_of(server, server.new_key("logged")) as client:
        body = prefix(f"s3://{bucket}/", f"s3://{bucket}/out/", notifications=hook(receiver.hook().url))
        answer = client.call("POST", "/jobs", 201, json=body)
        job_id, tracking_id = answer.body["job_id"], answer.headers["x-zm-trackingid"]
        client.ended(job_id)
    events = {"job.submitted", "file.done", "job.ended", "webhook.sent"}
    wait_until_equal(lambda: {line["event"] for line in lines_about(server, job_id)}, events)
    lines = lines_about(server, job_id)
    for line in lines:
        assert line["tenant"] == "logged", line
        assert line["tracking_id"] == tracking_id, line
        assert line["event"] == "job.submitted" or line["worker"].startswith("night-shift-"), line
    done = sorted((line["file_id"], line["state"]) for line in lines if line["event"] == "file.done")
    assert [state for _, state in done] == ["FILE_SUCCEEDED", "FILE_FAILED"]
    assert len({file_id for file_id, _ in done}) == 2
    assert not any("file_id" in line for line in lines if line["event"] in ("job.ended", "webhook.sent"))


def test_lines_of_the_same_thread_carry_nothing_of_the_job_before(
    server: Server, moto_s3: S3Server, wav: bytes
) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    with client_of(server, server.new_key("first")) as first, client_of(server, server.new_key("second")) as second:
        jobs = {
            client.ended(client.submit(manifest(f"s3://{bucket}/a.wav", output=f"s3://{bucket}/{tenant}/")))[
                "job_id"
            ]: tenant
            for tenant, client in (("first", first), ("second", second), ("third", first))
        }
    for job_id, tenant in jobs.items():
        wait_until(lambda job_id=job_id: any(line["event"] == "job.ended" for line in lines_about(server, job_id)))  # type: ignore[misc]
        told = {line["tenant"] for line in lines_about(server, job_id)}
        assert told == {"first" if tenant == "third" else tenant}


def test_standard_error_has_no_line_that_is_not_json(server: Server) -> None:
    others = [line for line in server.log_text().splitlines() if not line.startswith("{")]
    assert [line for line in others if "No API key exists yet" not in line] == []
