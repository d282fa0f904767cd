"""The Markdown files of the repository, for the tests of the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")


def code_blocks(document: Path, language: str) -> list[str]:
    return [code for name, code in _FENCED.findall(document.read_text()) if name == language]


def prose(document: Path) -> str:
    """Return the document without its fenced blocks."""
    return _FENCED.sub("", document.read_text())


def commands(document: Path, program: str) -> Iterator[str]:
    """Yield every use of a program: lines of shell blocks without comments, and inline code."""
    for block in code_blocks(document, "sh"):
        for line in block.splitlines():
            command = re.sub(r"\s+#.*", "", line)
            yield from (part.strip() for part in command.split("&&") if part.strip().startswith(f"{program} "))
    yield from (code for code in _INLINE.findall(prose(document)) if code.startswith(f"{program} "))


def table_rows(document: Path, heading: str | None = None) -> list[list[str]]:
    """Return the cells of all rows of the tables, without headers and rules: of all tables, or below one heading."""
    lines = document.read_text().splitlines()
    if heading is not None:
        lines = lines[lines.index(heading) + 1 :]
        ends = (index for index, line in enumerate(lines) if line.startswith("#"))
        lines = lines[: next(ends, None)]
    rows = [line for line in lines if line.startswith("|")]
    heads = {index for index, row in enumerate(rows) if index + 1 < len(rows) and set(rows[index + 1]) <= set("|- :")}
    body = [row for index, row in enumerate(rows) if index not in heads and not set(row) <= set("|- :")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in body]
