"""The how-to guides for transcribing: their commands, run as they stand, with a tiny model whose words are known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import srt
import webvtt

from tests.documents import ROOT, code_blocks
from tests.integration.command import Command
from tests.integration.server import serving
from tests.models.whisper import Line, scripted_whisper
from tests.shell_blocks import Shell

NAMES = "Kubernetes: cube a netties\n"


def blocks(name: str, language: str = "sh") -> list[str]:
    return code_blocks(ROOT / "docs" / name, language)


@pytest.fixture
def model(tmp_path: Path) -> dict[str, str]:
    """The setting of a model that always says the same."""
    scripted_whisper(tmp_path / "model", Line("We use cube a netties."))
    return {"BATCHSCRIBE_WHISPER_MODEL": str(tmp_path / "model")}


@pytest.fixture
def shell(tmp_path: Path, model: dict[str, str]) -> Shell:
    return Shell(tmp_path, model)


def put(examples: Path, name: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(examples / name, path)


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_calls_by_channel_and_with_a_vocabulary(shell: Shell, examples: Path) -> None:
    by_channel, _by_voice, with_names = blocks("how-to-calls.md")
    put(examples, "library-call.mp3", shell.folder / "calls" / "a.mp3")
    (shell.folder / "names.txt").write_text(NAMES)
    shell.run(by_channel)
    shell.run(with_names)
    assert "Speaker 1R: We use cube a netties." in (shell.folder / "transcripts" / "a.txt").read_text()
    assert "We use Kubernetes." in read(shell.folder / "with-names" / "a.json")["result"]["text_display"]


def test_a_long_recording_leaves_a_job_that_can_be_listed(shell: Shell, examples: Path) -> None:
    transcribe, jobs, with_one_process = blocks("how-to-long-recordings.md")
    put(examples, "weather.wav", shell.folder / "lectures" / "a.wav")
    shell.run(transcribe)
    assert "SUCCEEDED" in shell.run(jobs.splitlines()[0])
    assert "skipped: 1" in shell.run(with_one_process)


def test_subtitles_of_films_are_what_players_read(shell: Shell, examples: Path) -> None:
    both, beside, named = blocks("how-to-subtitles.md")
    put(examples, "house.mp4", shell.folder / "films" / "house.mp4")
    for block in (both, beside, named):
        shell.run(block)
    assert list(srt.parse((shell.folder / "subtitles" / "house.srt").read_text()))
    assert webvtt.read(str(shell.folder / "subtitles" / "house.vtt")).captions
    assert (shell.folder / "films" / "house.srt").is_file()
    assert (shell.folder / "house.vtt").read_text().startswith("WEBVTT")


def test_a_vocabulary_for_one_job_and_one_that_a_server_stores(shell: Shell, examples: Path) -> None:
    for_a_job, store, use = blocks("how-to-vocabulary.md")
    (names,) = blocks("how-to-vocabulary.md", "text")
    (shell.folder / "names.txt").write_text(names)
    put(examples, "weather.wav", shell.folder / "calls" / "a.wav")
    shell.run(for_a_job)
    assert "Kubernetes" in (shell.folder / "transcripts" / "a.json").read_text()
    (shell.folder / "transcripts" / "a.json").unlink()
    settings = {"BATCHSCRIBE_AUTH": "off", "BATCHSCRIBE_FILE_ROOTS": str(shell.folder)}
    with serving(Command(shell.folder, shell.environment | settings)) as server:
        client = Shell(shell.folder, {"BATCHSCRIBE_SERVER": server.url})
        client.run(store)
        (stored,) = json.loads(client.run("batchscribe vocabularies list --json"))["vocabularies"]
        submitted = use.replace("VOCABULARY", stored["vocabulary_id"]).rstrip()
        client.run(f"{submitted} --wait")
        assert server.end() == 0
    assert "Kubernetes" in (shell.folder / "transcripts" / "a.json").read_text()


def test_a_carried_model_is_installed_and_verified_without_a_network(tmp_path: Path, base_model: Path) -> None:
    _wheels, _install, _pull, carried, _doctor = blocks("how-to-offline.md")
    shutil.copytree(base_model, tmp_path / "carried" / "base")
    shell = Shell(tmp_path)
    shell.run(carried)
    (model,) = json.loads(shell.run("batchscribe models list --json"))["models"]
    assert model["name"] == "base"
