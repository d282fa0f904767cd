"""`docs/command-line.md` against the commands, and what `--help` costs."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from typer.main import get_command

from batchscribe.cli.app import app
from tests.documents import ROOT

DOCUMENT = ROOT / "docs" / "command-line.md"
HEAVY = {
    "dbos", "sqlalchemy", "av", "onnxruntime", "numpy", "ctranslate2", "pydantic_settings", "huggingface_hub",
    "httpx2", "jwt", "prometheus_client",
}  # fmt: skip


def options_in_code() -> dict[str, set[str]]:
    """The options that `--help` shows, by command: `jobs list`."""
    found: dict[str, set[str]] = {}

    def walk(command: Any, words: list[str]) -> None:
        for name, sub in getattr(command, "commands", {}).items():
            walk(sub, [*words, name])
        if not hasattr(command, "commands"):
            shown = [param for param in command.params if not getattr(param, "hidden", False)]
            found[" ".join(words)] = {opt for param in shown for opt in param.opts if opt.startswith("-")}

    walk(get_command(app), [])
    return found


def options_in_document() -> dict[str, set[str]]:
    tables = re.findall(r"^\| Option of `([\w ]+)` \|.*\n((?:\|.*\n)+)", DOCUMENT.read_text(), re.MULTILINE)
    return {command: set(re.findall(r"`(--?[a-z0-9-]+)`", " ".join(first_cells(rows)))) for command, rows in tables}


def first_cells(rows: str) -> list[str]:
    return [row.split("|")[1] for row in rows.splitlines()]


def test_every_option_is_documented_and_every_documented_option_exists() -> None:
    assert options_in_document() == options_in_code()


def test_no_promised_option_is_missing() -> None:
    wanted = (
        "output layout include exclude language words channels segmentation format overwrite engine engine-processes "
        "data-dir"
    )
    assert {f"--{name}" for name in wanted.split()} <= options_in_code()["transcribe"]


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["jobs", "--help"],
        ["transcribe", "--help"],
        ["jobs", "resume", "--help"],
        ["jobs", "submit", "--help"],
    ],
)
def test_help_comes_without_loading_what_only_work_needs(words: list[str]) -> None:
    script = (
        "import sys\n"
        "from batchscribe.cli.app import app\n"
        f"try: app({words!r})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert result.stderr == "[]\n"
