"""The files of a job, and single files (contract 1.5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.bodies import ABSENT, changed, manifest, prefix, single
from tests.contract.client import Client
from tests.contract.conftest import NewDatabase, StartServer
from tests.contract.held_storage import job_in_progress
from tests.contract.raw import send_raw
from tests.contract.strict import Json
from tests.recordings import write_wav
from tests.servers.s3_server import S3Server


@pytest.fixture(scope="module")
def bucket(new_database: NewDatabase, moto_s3: S3Server, wav: bytes) -> str:
    """One bucket per database, because existing transcripts would affect the next jobs."""
    return moto_s3.new_bucket(**{"a.wav": wav, "b.wav": wav, "notes.txt": b"no recording", "broken.wav": wav[:30]})


@pytest.fixture(scope="module")
def mixed(alice: Client, bucket: str) -> str:
    """The id of a job with files that succeeded and files that failed."""
    names = ("b.wav", "missing.wav", "a.wav", "notes.txt", "broken.wav")
    body = manifest(*[f"s3://{bucket}/{name}" for name in names], output=f"s3://{bucket}/mixed/")
    job_id: str = alice.done(body)["job_id"]
    return job_id


@pytest.fixture(scope="module")
def listed(alice: Client, bucket: str) -> str:
    """The id of a job over the whole bucket."""
    job_id: str = alice.done(prefix(f"s3://{bucket}/", "s3://" + bucket + "/listed/"))["job_id"]
    return job_id


def by_name(files: list[Json]) -> dict[str, Json]:
    return {file["input_uri"].rpartition("/")[2]: file for file in files}


def test_files_come_in_the_order_of_the_manifest(alice: Client, mixed: str) -> None:
    names = ("b.wav", "missing.wav", "a.wav", "notes.txt", "broken.wav")
    assert tuple(by_name(alice.files(mixed))) == names


def test_files_come_in_the_order_of_the_listing(alice: Client, listed: str) -> None:
    uris = [file["input_uri"] for file in alice.files(listed)]
    assert len(uris) >= 4
    assert uris == sorted(uris)


def test_a_file_that_succeeded_says_where_its_transcript_is_and_how_long_it_is(
    alice: Client, mixed: str, bucket: str
) -> None:
    file = by_name(alice.files(mixed))["a.wav"]
    assert (file["state"], file["error"], file["duration_sec"]) == ("FILE_SUCCEEDED", None, 1.0)
    assert file["output_uri"] == f"s3://{bucket}/mixed/a.json"


@pytest.mark.parametrize(
    ("name", "code"),
    [("missing.wav", "OBJECT_NOT_FOUND"), ("notes.txt", "UNSUPPORTED_MEDIA"), ("broken.wav", "CORRUPT_MEDIA")],
)
def test_a_file_that_failed_says_why_and_has_no_transcript(alice: Client, mixed: str, name: str, code: str) -> None:
    file = by_name(alice.files(mixed))[name]
    assert (file["state"], file["error"]["code"]) == ("FILE_FAILED", code)
    assert file["output_uri"] == ""


def test_a_file_that_is_not_a_recording_is_skipped_below_a_prefix(alice: Client, listed: str) -> None:
    file = by_name(alice.files(listed))["notes.txt"]
    assert (file["state"], file["error"]["code"]) == ("FILE_SKIPPED", "UNSUPPORTED_MEDIA")
    assert file["output_uri"] == ""
    assert alice.job(listed)["summary"]["skipped"] == 1


def test_the_duration_is_left_out_until_it_is_known(alice: Client, mixed: str) -> None:
    assert "duration_sec" not in by_name(alice.files(mixed))["missing.wav"]


def test_the_files_of_a_job_without_a_worker_can_be_listed(idle: Client) -> None:
    job_id = idle.submit(manifest("s3://calls/a.wav", "s3://calls/b.wav"))
    assert idle.get(f"/jobs/{job_id}/files")["next_page_token"] == ""


def test_a_waiting_file_shows_its_planned_transcript(start_server: StartServer, wav: bytes) -> None:
    with job_in_progress(start_server, wav) as (client, job_id, _):
        waiting = client.get(f"/jobs/{job_id}/files", state="FILE_QUEUED")["files"]
    assert waiting
    assert all(file["output_uri"].startswith("s3://bucket/out/") for file in waiting)


@pytest.mark.parametrize("state", ["FILE_SUCCEEDED", "FILE_FAILED", "FILE_CANCELED", "FILE_SKIPPED", "FILE_QUEUED"])
def test_files_can_be_narrowed_to_a_state(alice: Client, mixed: str, state: str) -> None:
    expected = [file for file in alice.files(mixed) if file["state"] == state]
    assert alice.files(mixed, state=state) == expected
    assert alice.files(mixed, state=state, page_size=1) == expected


@pytest.mark.parametrize("state", ["SUCCEEDED", "FILE_DONE", "0"])
def test_a_file_state_that_there_is_not_is_refused(alice: Client, mixed: str, state: str) -> None:
    answer = alice.call("GET", f"/jobs/{mixed}/files", 400, params={"state": state})
    assert (answer.reason, answer.fields) == ("VALIDATION_FAILED", ["state"])


def test_the_files_of_a_missing_job_are_not_found(alice: Client) -> None:
    assert alice.call("GET", "/jobs/job_0/files", 404).reason == "JOB_NOT_FOUND"


def test_each_file_has_its_own_route_that_shows_the_same(alice: Client, mixed: str) -> None:
    for file in alice.files(mixed):
        assert alice.get(f"/jobs/{mixed}/files/{file['file_id']}") == file


@pytest.mark.parametrize(
    "file_id", ["f_0", "f_999999999", "0", "-1", "x" * 500, "%00", "%ff", "9" * 40, "f_" + "9" * 40]
)
def test_a_missing_file_is_not_found(alice: Client, mixed: str, file_id: str) -> None:
    answer = send_raw(alice, "GET", f"{alice.base}/jobs/{mixed}/files/{file_id}")
    assert (answer.status, answer.reason) == (404, "FILE_NOT_FOUND")


def test_a_file_of_another_job_is_not_found(alice: Client, mixed: str) -> None:
    file_id = alice.files(mixed)[0]["file_id"]
    assert alice.call("GET", f"/jobs/job_0/files/{file_id}", 404).reason == "JOB_NOT_FOUND"


def test_a_local_job_works_from_end_to_end(alice: Client, recordings: Path) -> None:
    recording = write_wav(recordings / "local" / "a b.wav")
    folder = recording.parent.as_uri()
    body = changed(
        single(recording.as_uri(), f"{folder}/a%20b.json"),
        {"input.source": "FILE", "output.destination": "FILE", "input.auth": ABSENT, "output.auth": ABSENT},
    )
    job = alice.done(body)
    assert job["state"] == "SUCCEEDED", alice.files(job["job_id"])
    assert (recording.parent / "a b.json").is_file()
    assert alice.files(job["job_id"])[0]["input_uri"] == recording.as_uri()
