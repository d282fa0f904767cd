"""JSON on standard output, for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import typer

from batchscribe.cli.answers import begun
from batchscribe.wire.model import JsonObject


def print_json(value: Any) -> None:
    typer.echo(_text(value))


def print_json_list(name: str, items: Iterable[JsonObject], *, beside: JsonObject | None = None) -> None:
    """An object whose last field is the list; each item is written as it comes, since there may be a million."""
    found = begun(items)
    opening = _text({**(beside or {}), name: []}).removesuffix("]\n}")
    typer.echo(opening, nl=False)
    separator = "\n"
    for item in found:
        indented = _text(item).replace("\n", "\n    ")
        typer.echo(f"{separator}    {indented}", nl=False)
        separator = ",\n"
    typer.echo("]\n}" if separator == "\n" else "\n  ]\n}")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
