"""Text that an option names: a file, or `-` for standard input."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from batchscribe.errors import UsageError
from batchscribe.wire.model import JsonObject

STANDARD_INPUT = "-"


def read_lines(name: str) -> tuple[str, ...]:
    """Without blank lines and those that begin with `#`. Raises `UsageError`."""
    lines = (line.strip() for line in _read(name).splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def read_json_object(name: str) -> JsonObject:
    """Raises `UsageError`, which never shows the text: it may hold credentials."""
    try:
        body = json.loads(_read(name))
    except json.JSONDecodeError as error:
        raise UsageError(f"{_shown(name)} is not JSON: {error.msg} in line {error.lineno}.") from None
    if not isinstance(body, dict):
        raise UsageError(f"{_shown(name)} is not a JSON object; a job is one, from {{ to }}.")
    return body


def _read(name: str) -> str:
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer.read().decode()
        return Path(os.path.expanduser(name)).read_text(encoding="utf-8")  # noqa: PTH111 - pathlib raises for nobody's
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise UsageError(f"{_shown(name)} is not text in UTF-8.") from None


def _shown(name: str) -> str:
    return "Standard input" if name == STANDARD_INPUT else name
