"""`batchscribe jobs` and the client against `batchscribe serve`: real processes on both sides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchscribe.client import Client
from tests.contract.server import Key, Server
from tests.integration.command import Command, Result
from tests.integration.test_transcribe_command import MANY, recordings
from tests.recordings import write_wav

ALL_OF_IT = ("--segmentation", "none")  #: the recordings are noise


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`calls/` with two recordings, an empty one, and a text."""
    folder = tmp_path_factory.mktemp("serve")
    recordings(folder / "calls", 2)
    (folder / "calls" / "empty.wav").touch()
    (folder / "calls" / "notes.txt").touch()
    write_wav(folder / "a.wav")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with Server(folder / "server", {"BATCHSCRIBE_FILE_ROOTS": str(folder)}) as started:
        yield started


@pytest.fixture(scope="module")
def key(server: Server) -> Key:
    return server.new_key("acme")


@pytest.fixture
def command(folder: Path, server: Server, key: Key) -> Command:
    return Command(folder, environment_for(server, key))


@pytest.fixture(scope="module")
def job(folder: Path, server: Server, key: Key) -> Result:
    """An ended job over `calls/`."""
    command = Command(folder, environment_for(server, key))
    return command.run("jobs", "submit", "calls", "-o", "out/", "--reference-id", "october", "--wait", *ALL_OF_IT)


def environment_for(server: Server, key: Key) -> dict[str, str]:
    pair = {"BATCHSCRIBE_API_KEY": key.api_key, "BATCHSCRIBE_API_SECRET": key.api_secret}
    return {"BATCHSCRIBE_SERVER": server.url, **pair}


def test_a_folder_is_transcribed_by_the_server_and_the_result_shown(folder: Path, job: Result) -> None:
    assert job.status == 1, job
    assert "Failed: calls/empty.wav: EMPTY_RECORDING: " in job.out
    assert "Skipped: calls/notes.txt: UNSUPPORTED_MEDIA: " in job.out
    counters = {"job": job.job_id, "state": "PARTIAL", "files": "4", "succeeded": "2", "failed": "1", "skipped": "1"}
    assert job.counters().items() >= counters.items()
    assert job.counters()["transcripts"] == "out/"
    for path in (folder / "out").glob("*.json"):
        assert json.loads(path.read_text())["result"]["text_display"]
    assert len(list((folder / "out").glob("*.json"))) == 2


def test_the_job_is_listed_shown_and_can_no_longer_be_canceled(command: Command, job: Result) -> None:
    (line,) = (line for line in command.run("jobs", "list").out.splitlines() if job.job_id in line)
    assert line.split()[-6:] == ["PARTIAL", "4", "of", "4", "1", "october"]
    body = command.run("jobs", "show", job.job_id, "--json").json()
    assert body["input"]["uri"] == f"{(command.folder / 'calls').as_uri()}/"
    assert len(body["files"]) == 4
    failed = command.run("jobs", "files", job.job_id, "--state", "FILE_FAILED", "--json").json()["files"]
    assert [file["error"]["code"] for file in failed] == ["EMPTY_RECORDING"]
    assert command.run("jobs", "wait", job.job_id).status == 1
    canceled = command.run("jobs", "cancel", job.job_id)
    assert canceled.status == 1
    assert job.job_id in canceled.err


def test_server_and_data_directory_tell_the_same(command: Command, server: Server, job: Result) -> None:
    here = ("--data-dir", str(server.data_dir))
    show = ["show", job.job_id]
    for words in (["list"], ["list", "--json"], ["files", job.job_id], show, [*show, "--json"]):
        there = command.run("jobs", *words)
        assert there.out == command.run("jobs", *words, *here).out
        assert there.status == 0
    waited = command.run("jobs", "wait", job.job_id, "--json", *here)
    assert (waited.status, waited.json()) == (1, command.run("jobs", "wait", job.job_id, "--json").json())
    few = command.run("jobs", "files", job.job_id, "--state", "FILE_SUCCEEDED", "--limit", "1", "--json", *here)
    assert [file["state"] for file in few.json()["files"]] == ["FILE_SUCCEEDED"]


def test_a_dry_run_stores_nothing(command: Command) -> None:
    before = command.run("jobs", "list", "--json").out
    result = command.run("jobs", "submit", "calls", "-o", "elsewhere/", "--exclude", "empty*", "--dry-run")
    assert result.status == 0, result
    assert " -> elsewhere/" in result.out
    assert result.counters().items() >= {"matched": "2", "skipped": "1", "excluded": "1"}.items()
    assert command.run("jobs", "list", "--json").out == before
    assert not (command.folder / "elsewhere").exists()


def test_the_same_idempotency_key_is_the_same_job(command: Command) -> None:
    words = ("jobs", "submit", "a.wav", "-o", "one/", "--idempotency-key", "once", *ALL_OF_IT)
    first, again = command.run(*words), command.run(*words)
    assert first.job_id == again.job_id
    other = command.run(*words, "--words")
    assert other.status == 2
    assert "Idempotency-Key" in other.err


def test_a_manifest_is_transcribed_beside_a_request_of_ones_own(command: Command) -> None:
    (command.folder / "list.txt").write_text("# one\na.wav\n")
    listed = command.run("jobs", "submit", "--manifest", "list.txt", "-o", "listed/", "--wait", "--json", *ALL_OF_IT)
    assert listed.status == 0, listed
    assert listed.json()["input"]["mode"] == "MANIFEST"
    uri, config = (command.folder / "a.wav").as_uri(), {"segmentation_mode": "none"}
    body = {"input": {"uri": uri}, "output": {"uri": f"{command.folder.as_uri()}/own.json"}, "config": config}
    (command.folder / "job.json").write_text(json.dumps(body))
    assert command.run("jobs", "submit", "--request", "job.json", "--wait").status == 0
    assert (command.folder / "own.json").exists()


def test_a_wrong_secret_and_rejected_requests_are_reported(command: Command, server: Server) -> None:
    refused = command.run("jobs", "submit", "a.wav", "-o", "out/", "--language", "tlh")
    assert refused.status == 2
    assert refused.err.startswith(f"Error: {server.url} refused: ")
    assert "tlh" in refused.err
    command.environment["BATCHSCRIBE_API_SECRET"] = "wrong-secret-of-more-than-thirty-two-bytes"
    wrong = command.run("jobs", "list")
    assert wrong.status == 2
    assert f"{server.url} does not accept the API key (Invalid Access token" in wrong.err
    assert "wrong-secret" not in wrong.err


def test_a_tenant_does_not_see_the_jobs_of_another(folder: Path, server: Server, job: Result) -> None:
    stranger = Command(folder, environment_for(server, server.new_key("other")))
    assert stranger.run("jobs", "list", "--json").json() == {"jobs": []}
    shown = stranger.run("jobs", "show", job.job_id)
    assert shown.status == 2
    assert f"There is no job {job.job_id} at {server.url}" in shown.err


def test_the_client_pages_through_files_and_asks_for_one(server: Server, key: Key, job: Result) -> None:
    with Client(server.url, api_key=key.api_key, api_secret=key.api_secret) as client:
        files = list(client.files(job.job_id, page_size=1))
        assert len({file.file_id for file in files}) == 4
        assert client.file(job.job_id, files[2].file_id) == files[2]
        (mine,) = (body for body in client.jobs(state="PARTIAL") if body.job_id == job.job_id)
        assert mine == client.job(job.job_id) == client.wait(job.job_id)


def test_waiting_outlives_a_server_that_is_killed_and_started_again(tmp_path: Path) -> None:
    recordings(tmp_path / "calls", MANY)
    own = Server(tmp_path / "server", {"BATCHSCRIBE_FILE_ROOTS": str(tmp_path)}, ("--no-worker",))
    with own as server:  # without a worker, so that the job cannot end before the kill
        command = Command(tmp_path, environment_for(server, server.new_key("acme")))
        with command.started("jobs", "submit", "calls", "-o", "out/", "--wait", "--json", *ALL_OF_IT) as process:
            assert process.stderr is not None
            seen = [process.stderr.readline() for _ in range(2)]
            server.kill()
            server.words = ("--port", str(server.port))
            server.start()
            out, err = process.communicate(timeout=90)
    assert seen[1].startswith("QUEUED: "), seen
    assert process.returncode == 0, err
    assert json.loads(out)["summary"]["succeeded"] == MANY
