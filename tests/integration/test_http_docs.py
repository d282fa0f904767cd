"""The commands and the Python example of docs/http.md, run unchanged against a test server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from batchscribe.client import Client
from tests.documents import ROOT, code_blocks
from tests.integration.command import Command
from tests.integration.server import serving
from tests.recordings import write_wav

BLOCKS = [block for block in code_blocks(ROOT / "docs" / "http.md", "sh") if "curl" in block]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path, {"BATCHSCRIBE_ENGINE": "scripted", "BATCHSCRIBE_FILE_ROOTS": str(tmp_path)})


def test_every_command_of_the_document_does_what_it_says(command: Command) -> None:
    """Submit, show and cancel, fresh credentials, dry run. `/data` is the folder of the test. There is no worker,
    so the job has not ended when the credentials arrive.
    """
    submit, look, renew, _retry, store, dry_run = BLOCKS
    write_wav(command.folder / "calls" / "2026" / "a.wav", duration_sec=0.2)
    secret = command.run("keys", "create", "--tenant", "acme", "--json").json()["api_secret"]
    with serving(command, "--no-worker") as server:
        variables = {"SERVER": server.url, "API_SECRET": secret}
        job_id = json.loads(told(submit, command.folder, variables))["job_id"]
        renewed = told(renew, command.folder, variables | {"JOB": job_id})
        shown = told(look, command.folder, variables | {"JOB": job_id})
        stored = json.loads(told(store, command.folder, variables))
        planned = json.loads(told(dry_run, command.folder, variables))
        assert server.end() == 0
    assert renewed == ""
    assert f'"job_id":"{job_id}"' in shown
    assert '"files":[' in shown
    assert '"jobs":[' in shown
    assert stored["phrases"] == ["Ada Lovelace", "Grace Hopper"]
    assert (planned["matched"], planned["complete"]) == (1, True)


def test_the_command_of_a_retry_transcribes_a_file_that_was_repaired(command: Command) -> None:
    submit, _look, _renew, retry, *_ = BLOCKS
    (command.folder / "calls").mkdir()
    (command.folder / "calls" / "a.wav").write_bytes(b"RIFF")
    key = command.run("keys", "create", "--tenant", "acme", "--json").json()
    with serving(command) as server, Client(server.url, api_key=key["api_key"], api_secret=key["api_secret"]) as client:
        variables = {"SERVER": server.url, "API_SECRET": key["api_secret"]}
        job_id = json.loads(told(submit, command.folder, variables))["job_id"]
        assert client.wait(job_id, timeout_sec=60).state == "FAILED"
        write_wav(command.folder / "calls" / "a.wav", duration_sec=0.2)
        retried = json.loads(told(retry, command.folder, variables | {"JOB": job_id}))
        ended = client.wait(job_id, timeout_sec=60)
        assert server.end() == 0
    assert (retried["job_id"], retried["state"]) == (job_id, "PROCESSING")
    assert ended.state == "SUCCEEDED"


def test_the_python_example_follows_a_job_to_its_end(command: Command) -> None:
    [example] = code_blocks(ROOT / "docs" / "http.md", "python")
    write_wav(command.folder / "calls" / "a.wav", duration_sec=0.2)
    (command.folder / "calls" / "broken.wav").write_bytes(b"RIFF")
    key = command.run("keys", "create", "--tenant", "acme", "--json").json()
    with serving(command) as server:
        variables = {"SERVER": server.url, "API_KEY": key["api_key"], "API_SECRET": key["api_secret"]}
        printed = run_python(example, command.folder, variables)
        assert server.end() == 0
    planned, failed, refused = printed.splitlines()
    assert planned == "2 files"
    assert "broken.wav" in failed
    assert "JOB_NOT_CANCELABLE" in refused


def run_python(block: str, folder: Path, variables: dict[str, str]) -> str:
    script = block.replace("file:///data/", f"{folder.as_uri()}/")
    line, environment = [sys.executable, "-W", "error", "-c", script], os.environ | variables
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(block: str, folder: Path, variables: dict[str, str]) -> str:
    script = block.replace("file:///data/", f"{folder.as_uri()}/")
    environment = {"PATH": "/usr/bin:/bin", **variables}
    done = subprocess.run(["bash", "-eu"], input=script, env=environment, capture_output=True, text=True, check=True)
    return done.stdout
