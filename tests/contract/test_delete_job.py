"""The deletion of jobs (extension 17): what a tenant deletes is gone at once, for everyone."""

from __future__ import annotations

import pytest

from tests.contract.bodies import single
from tests.contract.client import Client
from tests.contract.conftest import NewDatabase
from tests.contract.strict import BASES
from tests.servers.s3_server import S3Server


@pytest.fixture(scope="module")
def bucket(new_database: NewDatabase, moto_s3: S3Server, wav: bytes) -> str:
    """One bucket per database, because existing transcripts would affect the next jobs."""
    return moto_s3.new_bucket(**{"a.wav": wav})


def delete(client: Client, job_id: str, expect: int = 204) -> None:
    client.call("DELETE", f"/jobs/{job_id}", expect, params={"purge": "true"})


@pytest.mark.parametrize("base", BASES)
def test_a_deleted_job_is_gone_from_every_route_and_its_transcript_stays(
    alice: Client, bucket: str, moto_s3: S3Server, base: str
) -> None:
    key = f"kept-{BASES.index(base)}.json"
    job_id = alice.done(single(f"s3://{bucket}/a.wav", f"s3://{bucket}/{key}"))["job_id"]
    delete(alice.but(base=base), job_id)
    for method, path in (
        ("GET", ""), ("GET", "/files"), ("GET", "/files/f_000001"), ("GET", "/deliveries"), ("POST", "/retry"),
        ("DELETE", ""), ("POST", "/deliveries/evt_0/replay"),
    ):  # fmt: skip
        assert alice.call(method, f"/jobs/{job_id}{path}", 404).reason == "JOB_NOT_FOUND"
    delete(alice, job_id, 404)
    assert job_id not in [job["job_id"] for job in alice.jobs()]
    assert moto_s3.client().get_object(Bucket=bucket, Key=key)["Body"].read()


def test_a_job_that_has_not_ended_is_canceled_and_deleted(idle: Client) -> None:
    job_id = idle.submit(single())
    delete(idle, job_id)
    idle.call("GET", f"/jobs/{job_id}", 404)
    assert job_id not in [job["job_id"] for job in idle.jobs(state="CANCELED")]


@pytest.mark.parametrize("purge", ["false", "0"])
def test_without_purge_a_job_is_only_canceled(idle: Client, purge: str) -> None:
    job_id = idle.submit(single())
    idle.call("DELETE", f"/jobs/{job_id}", 204, params={"purge": purge})
    assert idle.job(job_id)["state"] == "CANCELED"


def test_an_unclear_purge_deletes_nothing(idle: Client) -> None:
    job_id = idle.submit(single())
    answer = idle.call("DELETE", f"/jobs/{job_id}", 400, params={"purge": "perhaps"})
    assert answer.fields == ["purge"]
    assert idle.job(job_id)["state"] == "QUEUED"


def test_the_idempotency_key_of_a_deleted_job_stands_for_a_new_one(idle: Client) -> None:
    key = {"Idempotency-Key": "of a job that is deleted"}
    first = idle.submit(single(), key)
    delete(idle, first)
    second = idle.submit(single(), key)
    assert second != first
    assert idle.submit(single(), key) == second


def test_pages_continue_after_their_last_job_was_deleted(idle: Client) -> None:
    ids = [idle.submit(single()) for _ in range(4)]
    page = idle.get("/jobs", page_size=2)
    assert [job["job_id"] for job in page["jobs"]] == [ids[3], ids[2]]
    delete(idle, ids[2])
    following = idle.get("/jobs", page_size=2, next_page_token=page["next_page_token"])
    assert [job["job_id"] for job in following["jobs"]] == [ids[1], ids[0]]


def test_the_job_of_another_tenant_cannot_be_deleted(alice: Client, bob: Client, bucket: str) -> None:
    job_id = alice.submit(single(f"s3://{bucket}/a.wav", f"s3://{bucket}/hers.json"))
    delete(bob, job_id, 404)
    alice.ended(job_id)


def test_nothing_is_deleted_without_a_key(nobody: Client) -> None:
    delete(nobody, "job_0", 401)
