"""Canceling a job (contract 1.4)."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.contract.bodies import single
from tests.contract.client import Client
from tests.contract.conftest import StartServer
from tests.contract.held_storage import FILES, job_in_progress
from tests.contract.strict import Json
from tests.integration.command import wait_until
from tests.servers.s3_server import S3Server


def assert_not_cancelable(client: Client, job_id: str) -> None:
    before = client.job(job_id)
    answer = client.call("DELETE", f"/jobs/{job_id}", 400)
    assert (answer.reason, answer.body["code"]) == ("JOB_NOT_CANCELABLE", 400)
    assert client.job(job_id) == before


def test_a_queued_job_is_canceled_at_once_with_an_empty_answer(idle: Client) -> None:
    job_id = idle.submit(single())
    answer = idle.call("DELETE", f"/jobs/{job_id}", 204)
    assert answer.content == b""
    assert idle.job(job_id)["state"] == "CANCELED"


def test_a_job_cannot_be_canceled_twice(idle: Client) -> None:
    job_id = idle.submit(single())
    idle.cancel(job_id)
    assert_not_cancelable(idle, job_id)


def test_a_job_that_succeeded_cannot_be_canceled(alice: Client, moto_s3: S3Server, wav: bytes) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    job = alice.done(single(f"s3://{bucket}/a.wav", f"s3://{bucket}/a.json"))
    assert job["state"] == "SUCCEEDED"
    assert_not_cancelable(alice, job["job_id"])


def test_a_job_that_failed_cannot_be_canceled(alice: Client, moto_s3: S3Server) -> None:
    bucket = moto_s3.new_bucket()
    job = alice.done(single(f"s3://{bucket}/a.wav", f"s3://{bucket}/a.json"))
    assert job["state"] == "FAILED"
    assert_not_cancelable(alice, job["job_id"])


@pytest.mark.parametrize("job_id", ["job_0", "none"])
def test_a_missing_job_cannot_be_canceled(idle: Client, job_id: str) -> None:
    assert idle.call("DELETE", f"/jobs/{job_id}", 404).reason == "JOB_NOT_FOUND"


def test_a_running_job_keeps_what_is_finished_and_cancels_the_rest(start_server: StartServer, wav: bytes) -> None:
    with job_in_progress(start_server, wav) as (client, job_id, storage):
        client.cancel(job_id)
        assert client.job(job_id)["state"] == "CANCELED"
        storage.release()
        wait_until(lambda: states(client.files(job_id)) == counted(client.job(job_id)))  # those in progress still end
        summary, files = client.job(job_id)["summary"], client.files(job_id)
    assert summary["total_files"] == len(files) == FILES
    assert summary["succeeded"] > 0
    assert states(files)["FILE_CANCELED"] > 0
    finished = [file["output_uri"] for file in files if file["state"] == "FILE_SUCCEEDED"]
    assert {uri.removeprefix("s3://bucket/") for uri in finished} <= storage.bucket.objects.keys()


def states(files: list[Json]) -> Counter[str]:
    return Counter(file["state"] for file in files)


def counted(job: Json) -> dict[str, int]:
    """Return the counts of a canceled job, of which no file waits."""
    return {"FILE_SUCCEEDED": job["summary"]["succeeded"], "FILE_CANCELED": job["summary"]["canceled"]}
