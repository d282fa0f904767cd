"""The Python code of docs/client.md and the examples of the client, run unchanged against a real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchscribe.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature
from tests.documents import ROOT, code_blocks
from tests.integration.command import Command
from tests.integration.server import Server, serving
from tests.recordings import write_wav

SECRET = "a webhook secret"
EVENT = json.dumps({"event_type": "job.succeeded", "job": {"job_id": "job_1", "state": "SUCCEEDED"}}).encode()
EXAMPLES = ROOT / "examples"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    write_wav(tmp_path / "calls" / "a.wav", duration_sec=0.2)
    (tmp_path / "calls" / "broken.wav").write_bytes(b"RIFF")
    return Command(tmp_path, {"BATCHSCRIBE_ENGINE": "scripted", "BATCHSCRIBE_FILE_ROOTS": str(tmp_path)})


@pytest.fixture
def open_server(command: Command) -> Iterator[Server]:
    """A server without authentication."""
    command.environment["BATCHSCRIBE_AUTH"] = "off"
    with serving(command) as server:
        yield server
        assert server.end() == 0


def run_python(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    line, environment = [sys.executable, "-W", "error", *arguments], os.environ | variables
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_all_code_of_the_document_runs_from_top_to_bottom(command: Command) -> None:
    now = int(time.time())
    headers = {TIMESTAMP_HEADER.title(): str(now), SIGNATURE_HEADER: signature(EVENT, secret=SECRET, timestamp=now)}
    calls = [f"print(receive({EVENT!r}, {headers!r}), receive({EVENT + b' '!r}, {headers!r}))", "client.close()"]
    script = "\n".join([*code_blocks(ROOT / "docs" / "client.md", "python"), *calls])
    key = command.run("keys", "create", "--tenant", "acme", "--json").json()
    with serving(command) as server:
        variables = {"SERVER": server.url, "API_KEY": key["api_key"], "API_SECRET": key["api_secret"]}
        done = run_python(command.folder, "-c", script, WEBHOOK_SECRET=SECRET, **variables)
        assert server.end() == 0
    assert done.returncode == 0, done.stderr
    printed = done.stdout
    assert re.search(r"^PARTIAL 1$", printed, re.MULTILINE)
    assert f"FILE_SUCCEEDED {command.folder.as_uri()}/transcripts/a.json" in printed
    assert "2 files ()" in printed
    assert "400 JOB_NOT_CANCELABLE" in printed
    assert "1 failed" in printed
    assert printed.endswith("job.succeeded job_1\n200 401\n")


def test_the_script_transcribes_a_folder_and_names_what_failed(command: Command, open_server: Server) -> None:
    done = run_python(command.folder, str(EXAMPLES / "client_submit.py"), open_server.url, "calls", "out")
    assert done.returncode == 1, done.stderr
    assert "PARTIAL: 1 done" in done.stdout
    assert f"{command.folder.as_uri()}/calls/broken.wav: " in done.stdout
    assert json.loads((command.folder / "out" / "a.json").read_text())["duration_sec"] == 0.2


def test_the_notebook_runs_and_reads_a_transcript(command: Command, open_server: Server) -> None:
    shutil.copy(EXAMPLES / "audio" / "weather.wav", command.folder / "calls")
    notebook = json.loads((EXAMPLES / "client.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    script = "\n".join("".join(cell["source"]) for cell in cells)
    done = run_python(command.folder, "-c", script, SERVER=open_server.url, RECORDINGS="calls")
    assert done.returncode == 0, done.stderr
    assert "PARTIAL 2 done" in done.stdout
    assert re.search(r"^weather\.wav \d+ s: \w", done.stdout, re.MULTILINE)
    assert "broken.wav code='" in done.stdout
