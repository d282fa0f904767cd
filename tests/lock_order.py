"""The order in which transactions lock rows: see "Rows are locked in one order" in docs/architecture.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

#: A transaction locks the rows of an earlier table before those of a later one.
ORDER = ("job", "file", "checkpoint", "shard", "usage_day")
#: An INSERT locks nothing that others have, except where it may change a row.
_CHANGES = re.compile(r"^\s*(?:UPDATE|DELETE FROM)\s+(\w+)|^\s*INSERT INTO (usage_day)\b", re.IGNORECASE)
_LOCKS = re.compile(r"\bFOR (?:NO KEY UPDATE|UPDATE|SHARE|KEY SHARE)\b", re.IGNORECASE)
_TABLES = re.compile(r"\bFROM (\w+)", re.IGNORECASE)


@contextmanager
def checked_lock_order(engine: sa.Engine) -> Iterator[list[list[str]]]:
    """Fail at the statement that locks rows in another order. Yields the tables that each transaction locked."""
    transactions: list[list[str]] = []

    def begin(connection: sa.Connection) -> None:
        connection.info["locked"] = []
        transactions.append(connection.info["locked"])

    def look(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        locked: list[str] = connection.info.get("locked", [])
        for table in _locked_by(statement):
            later = [each for each in locked if ORDER.index(each) > ORDER.index(table)]
            if table not in locked:
                assert not later, f"{table} is locked after {later}: {statement}"
                locked.append(table)

    sa.event.listen(engine, "begin", begin)
    sa.event.listen(engine, "before_cursor_execute", look)
    try:
        yield transactions
    finally:
        sa.event.remove(engine, "begin", begin)
        sa.event.remove(engine, "before_cursor_execute", look)


def _locked_by(statement: str) -> list[str]:
    """Return the tables of `ORDER` in which a statement locks rows that others may want, first to last."""
    changed = [table for found in _CHANGES.findall(statement) for table in found if table]
    selected = _TABLES.findall(statement) if _LOCKS.search(statement) else []
    return [table for table in ORDER if table in {*changed, *selected}]
