"""Every command in README and docs exists, with its options."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from batchscribe.cli.app import app
from tests.documents import DOCUMENTS, ROOT, commands

GROUPS = {"jobs", "keys", "models", "vocabularies", "webhooks"}
WIDE = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}

MAKE = [(path, command) for path in DOCUMENTS for command in commands(path, "make")]
BATCHSCRIBE = [(path, command) for path in DOCUMENTS for command in commands(path, "batchscribe")]


def name(value: object) -> str | None:
    return value.name if isinstance(value, Path) else None


@cache
def help_of(*command: str) -> str:
    result = CliRunner().invoke(app, [*command, "--help"], env=WIDE)
    assert result.exit_code == 0, f"batchscribe {' '.join(command)}: {result.output}"
    return result.output


def test_the_readme_has_the_order_of_a_newcomer() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert headings == [
        "Start",
        "What it looks like",
        "Accuracy",
        "Compared with other tools",
        "Documents",
    ]


def test_the_readme_shows_the_two_commands_and_the_first_use_of_ones_own() -> None:
    shown = set(commands(ROOT / "README.md", "make")) | set(commands(ROOT / "README.md", "batchscribe"))
    first_use = {"batchscribe models pull base", "batchscribe transcribe FOLDER --output OUT"}
    assert {"make demo", "make test"} | first_use <= shown


@pytest.mark.parametrize(("document", "command"), MAKE, ids=name)
def test_every_make_command_has_its_target(document: Path, command: str) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(command.split()[1:]) <= targets


@pytest.mark.parametrize(("document", "command"), BATCHSCRIBE, ids=name)
def test_every_batchscribe_command_and_option_exists(document: Path, command: str) -> None:
    words = shlex.split(command)[1:]
    text = help_of(*words[: 2 if words[0] in GROUPS else 1])
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    assert [option for option in options if not re.search(rf"{option}\b", text)] == []
