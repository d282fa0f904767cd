"""The retry of what failed in a job (extension 3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.bodies import aws, changed, hook, manifest, single
from tests.contract.client import Answer, Client
from tests.contract.conftest import NewDatabase
from tests.contract.receiver import Receiver
from tests.contract.strict import BASES, Json
from tests.servers.s3_server import S3Server

FRESH: Json = {"input": {"auth": aws()}}


@pytest.fixture(scope="module")
def bucket(new_database: NewDatabase, moto_s3: S3Server, wav: bytes) -> str:
    """One bucket per database, because existing transcripts would affect the next jobs."""
    return moto_s3.new_bucket(**{"a.wav": wav})


def retry(client: Client, job_id: str, body: object = FRESH, expect: int = 202, **rest: Any) -> Answer:
    return client.call("POST", f"/jobs/{job_id}/retry", expect, json=body, **rest)


def failed_job(client: Client, bucket: str, name: str, **changes: Any) -> str:
    """A job with one file that succeeded, and one that was not there yet."""
    body = manifest(f"s3://{bucket}/a.wav", f"s3://{bucket}/{name}.wav", output=f"s3://{bucket}/{name}/", **changes)
    job = client.done(body)
    assert (job["state"], job["summary"]["failed"]) == ("PARTIAL", 1)
    job_id: str = job["job_id"]
    return job_id


@pytest.mark.parametrize("base", BASES)
def test_what_failed_is_transcribed_when_it_is_there(
    alice: Client, bucket: str, moto_s3: S3Server, wav: bytes, receiver: Receiver, base: str
) -> None:
    told, name = receiver.hook(), f"late-{BASES.index(base)}"
    job_id = failed_job(alice, bucket, name, notifications=hook(told.url))
    moto_s3.client().put_object(Bucket=bucket, Key=f"{name}.wav", Body=wav)
    answer = retry(alice.but(base=base), job_id)
    assert (answer.body["job_id"], answer.body["state"]) == (job_id, "PROCESSING")
    assert answer.body["summary"]["succeeded"] == 1
    job = alice.ended(job_id)
    assert (job["state"], job["summary"]["succeeded"], job["summary"]["failed"]) == ("SUCCEEDED", 2, 0)
    assert [file["state"] for file in alice.files(job_id)] == ["FILE_SUCCEEDED"] * 2
    assert [each.body["event_type"] for each in told.wait_for(2)] == ["job.partial", "job.succeeded"]


@pytest.mark.parametrize(
    ("name", "body"), [("none", None), ("empty", {}), ("null", {"input": None, "output": None, "more": 1})]
)
def test_credentials_that_were_deleted_must_be_sent_again(
    alice: Client, bucket: str, name: str, body: Json | None
) -> None:
    job_id = failed_job(alice, bucket, name)
    before = alice.job(job_id)
    answer = alice.call("POST", f"/jobs/{job_id}/retry", 409, **({} if body is None else {"json": body}))
    assert answer.reason == "FRESH_CREDENTIALS_NEEDED"
    assert alice.job(job_id) == before


def test_a_job_without_credentials_needs_no_body(alice: Client, bucket: str) -> None:
    body = changed(
        single(f"s3://{bucket}/nothing.wav", f"s3://{bucket}/open/a.json"), {"input.auth": None, "output.auth": None}
    )
    job_id = alice.done(body)["job_id"]
    alice.call("POST", f"/jobs/{job_id}/retry", 202)
    assert alice.ended(job_id)["error"]["code"] == "ALL_FILES_FAILED"


def test_invalid_credentials_are_rejected_by_field(alice: Client, bucket: str) -> None:
    job_id = failed_job(alice, bucket, "invalid")
    answer = retry(alice, job_id, {"input": {"auth": {"aws": {"access_key_id": "a"}}}}, 400)
    assert answer.fields == ["input.auth.aws.secret_access_key"]
    answer = retry(alice, job_id, {"output": {"auth": {"gcp": {"access_token": "a"}}}}, 400)
    assert answer.fields == ["output.auth.gcp"]
    path = f"/jobs/{job_id}/retry"
    alice.call("POST", path, 400, content=b"[", headers={"Content-Type": "application/json"})
    alice.call("POST", path, 415, content=b"{}", headers={"Content-Type": "text/plain"})


def test_a_job_that_runs_succeeded_or_was_canceled_is_not_retried(alice: Client, idle: Client, bucket: str) -> None:
    queued = idle.submit(single())
    assert retry(idle, queued, expect=409).reason == "JOB_NOT_RETRYABLE"
    idle.cancel(queued)
    assert "canceled" in retry(idle, queued, expect=409).body["message"]
    done = alice.done(single(f"s3://{bucket}/a.wav", f"s3://{bucket}/done/a.json"))
    assert "nothing to retry" in retry(alice, done["job_id"], expect=409).body["message"]


def test_the_job_of_another_tenant_does_not_exist(alice: Client, bob: Client, bucket: str) -> None:
    job_id = failed_job(alice, bucket, "theirs")
    assert retry(bob, job_id, expect=404).reason == "JOB_NOT_FOUND"
    assert retry(bob, "job_0", expect=404).reason == "JOB_NOT_FOUND"
    assert alice.job(job_id)["state"] == "PARTIAL"


def test_a_retry_needs_a_key(nobody: Client) -> None:
    retry(nobody, "job_0", expect=401)
