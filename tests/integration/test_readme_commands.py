"""The first commands of README.md, run as they stand, and the results that it shows."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import jiwer
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from tests.documents import ROOT, code_blocks
from tests.integration.command import Command
from tests.integration.server import serving

README = ROOT / "README.md"
#: Of a few words: the last bits of sums, and so a word now and then, depend on the processor.
MOST_WORD_ERRORS = 0.05
PORT = "127.0.0.1:8080"

comparable = EnglishTextNormalizer()


def only(blocks: list[str], words: str) -> str:
    (block,) = [block for block in blocks if words in block]
    return block


@pytest.fixture
def folder(tmp_path: Path, examples: Path) -> Path:
    shutil.copytree(examples, tmp_path / "examples" / "audio")
    return tmp_path


def test_the_first_transcript_is_what_the_command_writes(folder: Path, base_model: Path) -> None:
    words = shlex.split(only(code_blocks(README, "sh"), "library-call"))[1:]
    done = Command(folder, {"BATCHSCRIBE_WHISPER_MODEL": str(base_model)}).run(*words, within_sec=150)
    assert done.status == 0, done
    shown, written = only(code_blocks(README, "text"), "Speaker 1L"), (folder / "call.txt").read_text()
    assert re.findall("^Speaker 1.:", written, re.MULTILINE) == re.findall("^Speaker 1.:", shown, re.MULTILINE)
    assert jiwer.wer(comparable(shown), comparable(written)) <= MOST_WORD_ERRORS


def test_the_first_job_over_http_ends_as_shown(folder: Path) -> None:
    serve = only(code_blocks(README, "sh"), "BATCHSCRIBE_AUTH=off")
    *variables, _, _ = serve.replace("$PWD", str(folder)).split()
    environment = dict(variable.split("=", 1) for variable in variables)
    command = Command(folder, environment | {"BATCHSCRIBE_ENGINE": "scripted"})
    with serving(command) as server:
        place = server.url.removeprefix("http://")
        submit = only(code_blocks(README, "sh"), "curl").replace(PORT, place)
        answer = subprocess.run(["bash", "-eu"], input=submit, cwd=folder, capture_output=True, text=True, check=True)
        job = json.loads(answer.stdout)
        wait = only(code_blocks(README, "sh"), "jobs wait").replace(PORT, place).replace("JOB", job["job_id"])
        done = command.run(*shlex.split(wait)[1:], within_sec=150)
        assert server.end() == 0
    assert set(job) == set(json.loads(only(code_blocks(README, "json"), "QUEUED")))
    assert (done.status, without_ids(done.out)) == (0, without_ids(only(code_blocks(README, "text"), "state:")))
    assert json.loads((folder / "weather.json").read_text())["duration_sec"] == 16.76


def without_ids(text: str) -> str:
    return re.sub(r"job_[0-9a-f]+", "job_...", text)
