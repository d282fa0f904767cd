"""Names and arguments that are not text, and terminals whose encoding lacks characters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from batchscribe.transcript.as_json import render_json
from tests.recordings import write_wav
from tests.transcripts import spoken, transcript

ENCODINGS = ["ascii", "latin-1", "utf-8:strict"]
NAMES = ["caf\xe9 \u65e5.wav", "caf\udce9.wav"]


def run(folder: Path, encoding: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONIOENCODING": encoding, "BATCHSCRIBE_DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-m", "batchscribe", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_name_that_the_terminal_cannot_show_is_shown_with_marks(encoding: str, tmp_path: Path) -> None:
    for name in NAMES:
        write_wav(tmp_path / name)
    command = ("transcribe", *NAMES, "--layout", "adjacent", "--dry-run", "--engine", "scripted")
    told = run(tmp_path, encoding, *command)
    assert (told.returncode, told.stderr) == (0, b"")
    assert told.stdout.startswith(b"caf")
    answered = run(tmp_path, encoding, *command, "--json")
    assert [each["input_uri"].rpartition("/")[2] for each in json.loads(answered.stdout)["planned"]] == [
        "caf%C3%A9%20%E6%97%A5.wav",
        "caf%E9.wav",
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_transcript_is_printed_as_it_is_stored_whatever_the_terminal_shows(encoding: str, tmp_path: Path) -> None:
    stored = render_json(transcript(spoken("le caf\xe9 \u65e5")))
    (tmp_path / "call.json").write_bytes(stored)
    printed = run(tmp_path, encoding, "transcripts", "show", "call.json", "--json")
    assert (printed.returncode, printed.stdout.rstrip(b"\n")) == (0, stored.rstrip(b"\n"))


@pytest.mark.parametrize(
    "words", [("jobs", "show"), ("jobs", "retry"), ("keys", "revoke"), ("jobs", "list", "--server")], ids=" ".join
)
def test_an_argument_that_is_not_text_is_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    assert run(tmp_path, "utf-8", "keys", "create", "--tenant", "acme").returncode == 0  # creates the database
    refused = run(tmp_path, "utf-8", *words, "job_\udcff")
    assert refused.returncode == 2, refused
    assert b"Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["BATCHSCRIBE_SERVER", "BATCHSCRIBE_INPUT_FORMATS", "BATCHSCRIBE_LOG_LEVEL"])
def test_a_setting_that_is_not_text_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "x\udcff")
    refused = run(tmp_path, "utf-8", "jobs", "list")
    assert refused.returncode == 2, refused
    assert refused.stderr.startswith(b"Error: " + name.encode())


def test_an_error_message_contains_no_escape_sequence_of_a_name(tmp_path: Path) -> None:
    refused = run(tmp_path, "utf-8", "transcripts", "show", "no\x1b]0;title\x07.json")
    assert refused.returncode == 2
    assert refused.stderr.decode() == "Error: There is no transcript no\ufffd]0;title\ufffd.json.\n"
