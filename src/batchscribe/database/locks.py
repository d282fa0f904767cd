"""Row locks until the end of a transaction, for both databases."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def lock_rows(connection: sa.Connection, query: sa.Select[Any]) -> None:
    """Lock the rows that `query` selects, waiting for other locks on them.

    SQLite has a single lock for writers, and its driver acquires it only before the first write. Two transactions that
    read before they write would not see each other's changes, so the lock is acquired here.
    """
    if connection.dialect.name == "sqlite" and not _has_begun(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    connection.execute(query.with_for_update()).all()


def _has_begun(connection: sa.Connection) -> bool:
    driver_connection: Any = connection.connection.driver_connection
    return bool(driver_connection.in_transaction)
