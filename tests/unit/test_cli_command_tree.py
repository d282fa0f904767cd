"""What holds for every command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from batchscribe.cli.app import app

#: Commands that run until they are ended. Their output is a log, which is JSON already.
SERVICES = {"serve", "worker"}


def options_of_commands() -> dict[str, set[str]]:
    def walk(command: typer.core.TyperCommand | typer.core.TyperGroup, path: str) -> Iterator[tuple[str, set[str]]]:
        if isinstance(command, typer.core.TyperGroup):
            for name, each in command.commands.items():
                yield from walk(each, f"{path} {name}".strip())  # type: ignore[arg-type]
        else:
            yield path, {option for parameter in command.params for option in parameter.opts}

    return dict(walk(typer.main.get_command(app), ""))  # type: ignore[arg-type]


COMMANDS = options_of_commands()


def test_all_commands_are_found() -> None:
    assert {"transcribe", "watch", "jobs list", "deliveries replay", "transcripts show"} <= COMMANDS.keys()


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - SERVICES))
def test_a_command_prints_json_for_scripts(command: str) -> None:
    assert "--json" in COMMANDS[command]


@pytest.mark.parametrize("command", sorted(SERVICES))
def test_a_service_has_only_its_log(command: str) -> None:
    assert "--json" not in COMMANDS[command]


def complete(line: str) -> list[str]:
    """Return what a real bash offers for the last word of a line."""
    script = (
        'eval "$(_BATCHSCRIBE_COMPLETE=source_bash batchscribe)"\n'
        f"COMP_WORDS=({line}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))\n"
        '_batchscribe_completion batchscribe; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True, env=os.environ | {"PATH": path}
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("batchscribe jobs re", ["resume", "retry"]),
        ("batchscribe transcribe --segmentation ''", ["auto", "none"]),
        ("batchscribe transcribe --layout a", ["adjacent"]),
    ],
)
def test_bash_completes_commands_options_and_choices(line: str, offered: list[str]) -> None:
    assert complete(line) == offered
