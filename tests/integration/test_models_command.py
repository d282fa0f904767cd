"""`batchscribe models` as a person and a script see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.command import DATA, Command
from tests.models.carriers import flipped
from tests.models.whisper import random_whisper

NAME = "somebody/else"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path, {"HF_HUB_OFFLINE": "1"})


@pytest.fixture
def copied(command: Command) -> Command:
    """A model has been pulled from a folder."""
    random_whisper(command.folder / "copy", languages=("en", "de"))
    result = command.run("models", "pull", NAME, "--from", "copy")
    assert (result.status, result.err) == (0, "")
    where = command.folder / DATA / "models" / "somebody--else"
    assert result.out == f"{NAME} is in {where}; its files were not checked.\n"
    return command


def weights(command: Command) -> Path:
    return command.folder / DATA / "models" / "somebody--else" / "model.bin"


def test_with_no_model_the_list_says_how_to_get_one(command: Command) -> None:
    result = command.run("models", "list")
    assert result.status == 0
    assert "`batchscribe models pull base`" in result.out
    folder = str(command.folder / DATA / "models")
    assert command.run("models", "list", "--json").json() == {"folder": folder, "models": []}


def test_the_list_shows_what_there_is_to_know(copied: Command) -> None:
    random_whisper(copied.folder / DATA / "models" / "tiny.en", multilingual=False)
    head, *rows = copied.run("models", "list").out.splitlines()
    assert head.split() == ["model", "engine", "size", "languages", "license", "origin", "checked", "speed"]
    assert [row.split()[0] for row in rows] == ["tiny.en", NAME]
    assert [row.split()[4:6] for row in rows] == [["en", "MIT"], ["2", "unknown"]]
    assert str(copied.folder / "copy") in rows[1]
    assert all(" not checked " in row and " about " in row for row in rows)


def test_the_list_as_json_is_for_scripts(copied: Command) -> None:
    [model] = copied.run("models", "list", "--json").json()["models"]
    assert (model["name"], model["languages"], model["checked"]) == (NAME, ["de", "en"], False)
    assert (model["source"], model["places"]) == ("folder", [str(copied.folder / "copy")])
    assert model["path"] == str(weights(copied).parent)
    assert model["size_bytes"] > 100_000
    assert model["speed"] > 0


def test_pulling_an_installed_model_shows_it_as_the_list_does(copied: Command) -> None:
    pulled = copied.run("models", "pull", NAME, "--json").json()
    assert [pulled] == copied.run("models", "list", "--json").json()["models"]


def test_a_model_is_verified_file_by_file(copied: Command) -> None:
    result = copied.run("models", "verify", NAME)
    assert (result.status, result.err) == (0, "")
    assert "model.bin" in result.out
    body = copied.run("models", "verify", "--json").json()
    assert (body["ok"], [model["name"] for model in body["models"]]) == (True, [NAME])


def test_a_wrong_file_is_exit_status_one_with_its_name_and_the_next_step(copied: Command) -> None:
    weights(copied).write_bytes(flipped(weights(copied).read_bytes()))
    result = copied.run("models", "verify")
    assert result.status == 1
    [row] = [line for line in result.out.splitlines() if "model.bin" in line]
    assert "wrong: SHA-256" in row
    assert f"`batchscribe models remove {NAME}` and `batchscribe models pull {NAME}`" in result.out
    [model] = copied.run("models", "verify", "--json").json()["models"]
    assert (model["ok"], [file["file"] for file in model["files"] if file["verdict"] == "wrong"]) == (
        False,
        ["model.bin"],
    )


def test_a_model_is_removed_without_a_question(copied: Command) -> None:
    result = copied.run("models", "remove", NAME)
    assert (result.status, result.out) == (0, f"{NAME} is removed.\n")
    assert copied.run("models", "list", "--json").json()["models"] == []


@pytest.mark.parametrize("verb", ["remove", "verify"])
def test_a_missing_model_is_exit_status_two_with_the_next_step(command: Command, verb: str) -> None:
    result = command.run("models", verb, "base")
    assert result.status == 2
    assert result.err == "Error: Model 'base' is not installed; `batchscribe models list` shows the installed models.\n"


def test_a_model_that_cannot_be_pulled_is_exit_status_one_and_one_sentence_each(command: Command) -> None:
    result = command.run("models", "pull", NAME, "--from", "hub")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"Error: Model {NAME} could not be pulled. The model hub is not used, because HF_HUB_")
    assert len(result.err.splitlines()) == 1


def test_at_a_terminal_what_was_done_is_left_without_the_bar(command: Command) -> None:
    random_whisper(command.folder / "copy")
    status, shown = command.at_terminal("models", "pull", NAME, "--from", "copy")
    assert status == 0
    assert "Copying" in shown
    assert shown.rstrip().endswith("its files were not checked.")
