"""One job (contract 1.4); the shape of every answer is checked by `strict`."""

from __future__ import annotations

import pytest

from tests.contract.bodies import manifest, prefix, single
from tests.contract.client import Client
from tests.contract.raw import send_raw
from tests.servers.s3_server import S3Server


def test_a_queued_job_has_no_files_in_any_last_state(idle: Client) -> None:
    job = idle.echo(single(reference_id="call 7"))
    assert (job["state"], job["reference_id"], job["error"]) == ("QUEUED", "call 7", None)
    assert "completed_at" not in job
    assert job["summary"]["succeeded"] == 0


def test_a_job_shows_what_was_requested(idle: Client) -> None:
    job = idle.echo(prefix("s3://calls/2025/", "s3://transcripts/"))
    assert job["input"]["uri"] == "s3://calls/2025/"
    assert job["output"] == {"destination": "S3", "uri": "s3://transcripts/", "layout": "PREFIX", "overwrite": False}
    assert job["config"]["segmentation_mode"] == "none"


def test_a_job_that_succeeded_counts_its_files(alice: Client, moto_s3: S3Server, wav: bytes) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav, "b.wav": wav})
    job = alice.done(prefix(f"s3://{bucket}/", f"s3://{bucket}/out/"))
    assert (job["state"], job["error"]) == ("SUCCEEDED", None)
    assert (job["summary"]["total_files"], job["summary"]["succeeded"]) == (2, 2)


def test_a_job_with_some_failures_is_partial(alice: Client, moto_s3: S3Server, wav: bytes) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    uris = (f"s3://{bucket}/a.wav", f"s3://{bucket}/missing.wav")
    job = alice.done(manifest(*uris, output=f"s3://{bucket}/out/"))
    assert (job["state"], job["error"]) == ("PARTIAL", None)
    assert (job["summary"]["succeeded"], job["summary"]["failed"]) == (1, 1)


def test_a_job_of_which_nothing_succeeded_failed_and_says_why(alice: Client, moto_s3: S3Server) -> None:
    bucket = moto_s3.new_bucket()
    job = alice.done(single(f"s3://{bucket}/missing.wav", f"s3://{bucket}/missing.json"))
    assert job["state"] == "FAILED"
    assert job["error"]["code"] == "ALL_FILES_FAILED"
    assert job["summary"]["failed"] == 1


def test_a_job_that_found_nothing_failed_with_that_code(alice: Client, moto_s3: S3Server) -> None:
    bucket = moto_s3.new_bucket()
    job = alice.done(prefix(f"s3://{bucket}/empty/", f"s3://{bucket}/out/"))
    assert (job["state"], job["error"]["code"]) == ("FAILED", "NO_INPUT_FILES")
    assert job["summary"]["total_files"] == 0


def test_a_job_whose_bucket_is_missing_failed_and_says_so(alice: Client) -> None:
    job = alice.done(prefix("s3://there-is-no-such-bucket/calls/", "s3://there-is-no-such-bucket/out/"))
    assert (job["state"], job["error"]["code"]) == ("FAILED", "BUCKET_NOT_FOUND")


@pytest.mark.parametrize("job_id", ["job_0", "0", "none", "job_" + "f" * 32, "x" * 2000, "%00", "%ff", "%C3%BC", "'--"])
def test_a_missing_job_is_not_found(idle: Client, job_id: str) -> None:
    answer = send_raw(idle, "GET", f"{idle.base}/jobs/{job_id}")
    assert (answer.status, answer.reason) == (404, "JOB_NOT_FOUND")
