"""Text that a command reads from a file, or from standard input if the name is `-`."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from batchscribe.errors import UsageError
from batchscribe.wire.base import JsonObject

STANDARD_INPUT = "-"
UTF_8 = "utf-8-sig"  #: Windows starts a text file with a byte order mark
LINE_END = re.compile(r"\r\n|\r|\n")


def parse_path(argument: str) -> Path:
    """Return the path with the home directory in place of `~`. Raises `UsageError`."""
    if not argument:  # an unset shell variable; as a path it would be the current folder
        raise UsageError("An empty name was given; name a file, a folder or a URI.")
    return Path(os.path.expanduser(argument))  # noqa: PTH111 - pathlib raises for an unknown user's home


def read_lines(name: str) -> Sequence[str]:
    """Return the trimmed lines of a file, or of standard input for `-`, without blank lines and `#` comments.

    Splits only at CR and LF, not at characters that names may contain, such as U+2028. Raises `UsageError`.
    """
    return tuple(line for _, line in read_numbered_lines(name))


def read_numbered_lines(name: str) -> Sequence[tuple[int, str]]:
    """Return the lines of `read_lines`, each with its number in the file, from 1. Raises `UsageError`."""
    lines = enumerate((line.strip(" \t") for line in LINE_END.split(_read_text(name))), start=1)
    return tuple((number, line) for number, line in lines if line and not line.startswith("#"))


def read_json_object(name: str) -> JsonObject:
    """Parse a JSON object. Raises `UsageError`, which never quotes the text, because it may contain credentials."""
    try:
        body = json.loads(_read_text(name))
    except json.JSONDecodeError as error:
        raise UsageError(f"{_format_name(name)} is not JSON: {error.msg} in line {error.lineno}.") from None
    except (RecursionError, ValueError):  # deep nesting, or a number with thousands of digits
        raise UsageError(f"{_format_name(name)} is not a job: it is too deeply nested, or has a huge number.") from None
    if not isinstance(body, dict):
        raise UsageError(f"{_format_name(name)} is not a JSON object; a job starts with {{ and ends with }}.")
    return body


def _read_text(name: str) -> str:
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer.read().decode(UTF_8)
        return parse_path(name).read_bytes().decode(UTF_8)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise UsageError(f"{_format_name(name)} is not UTF-8 text.") from None


def _format_name(name: str) -> str:
    return "Standard input" if name == STANDARD_INPUT else name
