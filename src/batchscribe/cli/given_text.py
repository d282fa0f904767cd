"""Text that an option names: a file, or `-` for standard input."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from batchscribe.errors import UsageError
from batchscribe.wire.model import JsonObject

STANDARD_INPUT = "-"
UTF_8 = "utf-8-sig"  #: Windows begins a text with a byte order mark
LINE_END = re.compile(r"\r\n|\r|\n")


def read_lines(name: str) -> tuple[str, ...]:
    """Without blank lines, those that begin with `#`, and the spaces around. Raises `UsageError`.

    Not by `str.splitlines`, which also ends a line at characters that names may have, U+2028 among them.
    """
    lines = (line.strip(" \t") for line in LINE_END.split(_read(name)))
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
            return sys.stdin.buffer.read().decode(UTF_8)
        return Path(os.path.expanduser(name)).read_bytes().decode(UTF_8)  # noqa: PTH111 - pathlib raises for nobody's
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise UsageError(f"{_shown(name)} is not text in UTF-8.") from None


def _shown(name: str) -> str:
    return "Standard input" if name == STANDARD_INPUT else name
