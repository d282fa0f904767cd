"""The list of jobs: order and state filter (contract 1.1 and 1.4). Pages are in test_paging.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.bodies import manifest, many, prefix, single
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server
from tests.servers.s3_server import S3Server

STATES = ("SUCCEEDED", "PARTIAL", "FAILED", "CANCELED")


@pytest.fixture(scope="module")
def own_server(start_server: StartServer) -> Server:
    """A server without a worker, so that a job can be canceled before its end on any machine."""
    return start_server("--no-worker")


@pytest.fixture(scope="module")
def lister(own_server: Server) -> Iterator[Client]:
    """A tenant with nothing but the jobs of this module."""
    with client_of(own_server, own_server.new_key("lister")) as client:
        yield client


@pytest.fixture(scope="module")
def jobs(own_server: Server, lister: Client, moto_s3: S3Server, wav: bytes) -> dict[str, str]:
    """One job in each last state: its id by its state, in the order of their submission."""
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    there, missing, out = f"s3://{bucket}/a.wav", f"s3://{bucket}/missing.wav", f"s3://{bucket}/out/"
    bodies = {
        "SUCCEEDED": single(there, f"{out}a.json", reference_id="the first"),
        "PARTIAL": manifest(there, missing, output=f"{out}partial/"),
        "FAILED": prefix(f"s3://{bucket}/empty/", out),
        "CANCELED": manifest(*many(bucket, 200), output=f"{out}canceled/"),
    }
    ids = {state: lister.submit(body) for state, body in bodies.items()}
    lister.cancel(ids["CANCELED"])
    with own_server.working():
        ended = {state: lister.ended(job_id)["state"] for state, job_id in ids.items()}
    assert ended == {state: state for state in STATES}
    return ids


def test_jobs_come_newest_first(lister: Client, jobs: dict[str, str]) -> None:
    assert [job["job_id"] for job in lister.jobs()] == list(reversed(jobs.values()))


def test_the_list_shows_each_job_as_its_own_route_does(lister: Client, jobs: dict[str, str]) -> None:
    assert lister.jobs() == [lister.job(job_id) for job_id in reversed(jobs.values())]


@pytest.mark.parametrize("state", STATES)
def test_the_list_can_be_narrowed_to_a_state(lister: Client, jobs: dict[str, str], state: str) -> None:
    assert [job["job_id"] for job in lister.jobs(state=state)] == [jobs[state]]


@pytest.mark.parametrize("state", ["QUEUED", "PROCESSING"])
@pytest.mark.usefixtures("jobs")
def test_a_state_that_no_job_is_in_gives_an_empty_list(lister: Client, state: str) -> None:
    assert lister.get("/jobs", state=state) == {"jobs": [], "next_page_token": ""}


def test_cancelled_with_two_ls_is_understood(lister: Client, jobs: dict[str, str]) -> None:
    assert [job["job_id"] for job in lister.jobs(state="CANCELLED")] == [jobs["CANCELED"]]


@pytest.mark.parametrize("state", ["DONE", "FILE_FAILED", "succeeded,failed", "\0", "1"])
def test_a_state_that_there_is_not_is_refused(lister: Client, state: str) -> None:
    answer = lister.call("GET", "/jobs", 400, params={"state": state})
    assert (answer.reason, answer.fields) == ("VALIDATION_FAILED", ["state"])


def test_queued_jobs_can_be_listed(idle: Client) -> None:
    job_id = idle.submit(single())
    assert idle.get("/jobs", state="QUEUED", page_size=1)["jobs"][0]["job_id"] == job_id
