"""Output of results: lines and tables for a person, JSON for a program.

Results go to standard output, progress and notices to standard error.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.cells import cell_len
from rich.console import Console

from batchscribe.wire.base import JsonObject
from batchscribe.wire.uris import FILE_SCHEME, path_of, scheme_of

if TYPE_CHECKING:
    from rich.table import Column, Table

LINE_EVERY_SEC = 5.0  #: between plain lines of progress
BAR_WIDTH = 16  #: with this width, a line of progress fits into 80 columns
MIN_CELL = 10  #: columns for a cell of a table: a date fits
PLAIN_WIDTH = 10_000  #: columns without a terminal, so that lines for programs are never wrapped

Item = TypeVar("Item")

#: They are part of words in Persian and in scripts of India.
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def open_console(*, stderr: bool = False) -> Console:
    """Open a console that prints text without markup, because a file name may look like markup."""
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    return console


class LinePace:
    """Decides when a plain line of progress is due: for each new state, and at most every five seconds in between."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._state = ""
        self._next_at = 0.0

    def is_due(self, state: str) -> bool:
        """Return whether to print a line now. If so, the caller prints it."""
        if state == self._state and self._clock() < self._next_at:
            return False
        self._state, self._next_at = state, self._clock() + LINE_EVERY_SEC
        return True


def print_table(table: Table) -> None:
    """Print a table. On a narrow terminal, text is wrapped and not cut off.

    The IDs in the first column stay on one line, so that a user can select them for the next command.
    """
    first, *others = table.columns
    first.no_wrap, first.min_width = True, _measure(first)
    for column in others:
        column.overflow, column.min_width = "fold", min(MIN_CELL, _measure(column))
    table.pad_edge = False
    output = open_console()
    output.width = max(output.width, sum((column.min_width or 0) + 2 for column in table.columns))
    output.print(table, soft_wrap=False, crop=False)


def _measure(column: Column) -> int:
    return max(cell_len(line) for cell in (column.header, *column.cells) for line in str(cell).split("\n"))


def print_json(value: Any) -> None:
    typer.echo(_format_json(value))


def print_json_line(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=_needs_ascii()))


def print_json_list(name: str, items: Iterable[JsonObject], *, beside: JsonObject | None = None) -> None:
    """Print an object whose last field is the list. Items are printed one by one, because there may be a million."""
    found = fetch_first(items)
    opening = _format_json({**(beside or {}), name: []}).removesuffix("]\n}")
    typer.echo(opening, nl=False)
    separator = "\n"
    for item in found:
        indented = _format_json(item).replace("\n", "\n    ")
        typer.echo(f"{separator}    {indented}", nl=False)
        separator = ",\n"
    typer.echo("]\n}" if separator == "\n" else "\n  ]\n}")


def _format_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=_needs_ascii(), indent=2)


def _needs_ascii() -> bool:
    """Return whether JSON must escape other characters, because standard output may be unable to encode them."""
    return (sys.stdout.encoding or "").lower() not in ("utf-8", "utf8")


def fetch_first(items: Iterable[Item]) -> Iterator[Item]:
    """Fetch the first item now, so that an error occurs before anything is printed. Return all items."""
    iterator = iter(items)
    return chain(list(islice(iterator, 1)), iterator)


def format_uri(uri: str) -> str:
    """Format a URI as the user would write it, a local path relative to the current folder. Safe for a terminal."""
    return format_text(_relative_path(uri) if scheme_of(uri) == FILE_SCHEME else uri)


def _relative_path(uri: str) -> str:
    path, here = local_path(uri), Path.cwd()
    written = str(path.relative_to(here) if path.is_relative_to(here) else path)
    return f"{written}/" if uri.endswith("/") and not written.endswith("/") else written


def local_path(uri: str) -> Path:
    """Return the path of a `file://` URI."""
    return Path("/" + path_of(uri))


def format_text(text: str) -> str:
    """Replace escape sequences and bytes that are not text, which a file name may contain."""
    return "".join(
        character if character.isprintable() or character in JOINERS else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def format_minute(moment: datetime) -> str:
    """Format a time as `2026-11-27 14:54`, in the time zone of this machine."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def format_duration(seconds: float) -> str:
    """Format a duration as `45 s`, `12 min` or `3.4 h`. A short one is never shown as zero."""
    if 0 < seconds < 0.95:
        return f"{seconds:.1f} s" if seconds >= 0.1 else "under 0.1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def format_position(sec: float) -> str:
    """Format a position in a recording as `0:02:35`."""
    minutes, seconds = divmod(int(sec), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def format_speed(factor: float) -> str:
    """Format a speed as a multiple of real time: `6.1x`. A low one has two digits: `0.042x`."""
    return f"{factor:.2g}x" if 0 < factor < 0.1 else f"{factor:.1f}x"


def format_size(n_bytes: int) -> str:
    """Format a size as `812 bytes`, `3.0 MiB` and so on."""
    if n_bytes < 1024:
        return f"{n_bytes} bytes"
    size, unit = n_bytes / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"
