"""`batchscribe vocabularies` against `batchscribe serve`: real processes on both sides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract import with_vocabulary
from tests.contract.server import Server
from tests.integration.command import Command
from tests.integration.test_jobs_serve import environment_for
from tests.recordings import write_wav

NAMES = "Ada Lovelace\nKubernetes\nKubernetes: cube a netties, Cooper Netties\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vocabularies")
    (folder / "names.txt").write_text(NAMES)
    write_wav(folder / "call.wav", duration_sec=2.0)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    program = Path(with_vocabulary.__file__)
    settings = {"BATCHSCRIBE_FILE_ROOTS": str(folder)}
    with Server(folder / "server", settings, program=program) as started:
        yield started


@pytest.fixture(scope="module")
def acme(folder: Path, server: Server) -> Command:
    return Command(folder, environment_for(server, server.new_key("acme")))


@pytest.fixture
def other(folder: Path, server: Server) -> Command:
    return Command(folder, environment_for(server, server.new_key("other")))


def test_a_vocabulary_is_stored_listed_shown_used_and_deleted(acme: Command, folder: Path) -> None:
    created = acme.run("vocabularies", "create", "names.txt", "--name", "People", "--json").json()
    vocabulary_id = created["vocabulary_id"]
    listed = acme.run("vocabularies", "list").out
    assert [vocabulary_id, "2", "1", "People"] == [listed.split()[5], *listed.split()[-3:]]
    assert acme.run("vocabularies", "list", "--json", "--limit", "1").json() == {"vocabularies": [created]}
    assert acme.run("vocabularies", "show", vocabulary_id).out == NAMES
    assert acme.run("vocabularies", "show", vocabulary_id, "--json").json() == created
    job = ("call.wav", "-o", "out/", "--segmentation", "none", "--vocabulary-id", vocabulary_id, "--wait", "--json")
    assert acme.run("jobs", "submit", *job).json()["config"]["vocabulary_id"] == vocabulary_id
    text = json.loads((folder / "out" / "call.json").read_text())["result"]["text_display"]
    assert text.startswith("Ada Lovelace Kubernetes")
    assert acme.run("vocabularies", "delete", vocabulary_id).out == f"{vocabulary_id} is deleted.\n"
    gone = acme.run("vocabularies", "show", vocabulary_id)
    assert (gone.status, "There is no vocabulary" in gone.err) == (2, True)


def test_a_vocabulary_of_another_tenant_does_not_exist(acme: Command, other: Command) -> None:
    line = acme.run("vocabularies", "create", "names.txt").out
    vocabulary_id = line.removeprefix("vocabulary: ").strip()
    for words in (("show", vocabulary_id), ("delete", vocabulary_id)):
        refused = other.run("vocabularies", *words)
        assert (refused.status, "There is no vocabulary" in refused.err) == (2, True)
    refused = other.run("jobs", "submit", "s3://calls/a.wav", "-o", "s3://out/", "--vocabulary-id", vocabulary_id)
    assert "config.vocabulary_id: There is no such vocabulary" in refused.err
    assert other.run("vocabularies", "list", "--json").json() == {"vocabularies": []}
    assert vocabulary_id in acme.run("vocabularies", "list").out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("create", "nowhere.txt"), "nowhere.txt cannot be read"),
        (("create", "aliases.txt"), "phrases"),
        (("show", ".."), "is not the ID of a vocabulary"),
    ],
)
def test_a_mistake_ends_the_command(acme: Command, folder: Path, words: tuple[str, ...], reason: str) -> None:
    (folder / "aliases.txt").write_text("Ada: eider\n")
    refused = acme.run("vocabularies", *words)
    assert refused.status == 2
    assert reason in refused.err


def test_without_a_server_there_are_no_stored_vocabularies(acme: Command) -> None:
    refused = replace(acme, environment={}).run("vocabularies", "list")
    assert refused.status == 2
    assert "BATCHSCRIBE_SERVER" in refused.err


def test_a_local_command_takes_a_file_and_masks_profanities(tmp_path: Path) -> None:
    write_wav(tmp_path / "call.wav", duration_sec=1.0)
    (tmp_path / "names.txt").write_text("Shibboleth: the\nbullshit\n")
    command = Command(tmp_path, {"BATCHSCRIBE_ENGINE": "scripted"})
    refused = command.transcribe("call.wav", "--vocabulary", "names.txt")
    assert (refused.status, "config.vocabulary: " in refused.err) == (2, True)
    (tmp_path / "names.txt").write_text("Bullshit: the, quick\n")
    done = command.transcribe(
        "call.wav", "--vocabulary", "names.txt", "--profanity-filter", "--word-confidence", "--segmentation", "none"
    )
    assert done.status == 0, done
    result = json.loads((tmp_path / "call.json").read_text())["result"]
    assert result["text_display"].startswith("B*******")
    assert "start" not in result["segments"][0]["words"][0]
