"""The answers to "where do I add ...?" in `CONTRIBUTING.md`: every file exists, and there are few."""

from __future__ import annotations

import re

import pytest

from tests.documents import ROOT

SOURCE = ROOT / "src" / "batchscribe"
#: Beside the new file.
MOST_SOURCE_FILES = 4


def recipes() -> dict[str, str]:
    """The tables of each heading below "Where to add"."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    section = text.partition("\n## Where to add\n")[2].partition("\n## ")[0]
    return {head: tables for part in section.split("\n### ")[1:] for head, _, tables in [part.partition("\n")]}


def named_files(recipe: str, *, new: bool) -> list[str]:
    cells = [line.split("|")[1] for line in recipe.splitlines() if line.startswith("| `")]
    return [name for cell in cells if ("(new)" in cell) is new for name in re.findall(r"`([^`]+)`", cell)]


def is_source(name: str) -> bool:
    return bool(matches(name, below_source=True))


def matches(name: str, *, below_source: bool) -> list[object]:
    """The files that it may stand for: `COMMAND` is any name."""
    return list((SOURCE if below_source else ROOT).glob(name.replace("COMMAND", "*")))


def test_there_is_an_answer_for_each_kind_of_addition() -> None:
    assert {head.split()[-1] for head in recipes()} >= {"engine", "scheme", "transcripts", "route", "setting"}


@pytest.mark.parametrize("recipe", recipes().values(), ids=list(recipes()))
def test_every_file_of_an_answer_exists_and_at_most_four_are_source(recipe: str) -> None:
    files = named_files(recipe, new=False)
    assert files
    assert [name for name in files if not matches(name, below_source=True) + matches(name, below_source=False)] == []
    assert len([name for name in files if is_source(name)]) <= MOST_SOURCE_FILES


@pytest.mark.parametrize("recipe", recipes().values(), ids=list(recipes()))
def test_a_new_file_belongs_into_a_folder_that_exists(recipe: str) -> None:
    folders = [(SOURCE / name).parent for name in named_files(recipe, new=True)]
    assert [
        folder for folder in folders if not folder.is_dir() and not (ROOT / folder.relative_to(SOURCE)).is_dir()
    ] == []
