"""SQL that each database needs in its own form: bulk inserts, the clock, row locks.

Bulk inserts decide how fast large jobs are listed. The database's clock is the only one that all machines share.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.schema import ScalarElementColumnDefault


class UnixNow(sa.sql.functions.FunctionElement[float]):
    """The current time of the database, in Unix seconds."""

    type = sa.Double()
    inherit_cache = True


@compiles(UnixNow, "sqlite")
def _of_sqlite(_element: UnixNow, _compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(UnixNow, "postgresql")
def _of_postgresql(_element: UnixNow, _compiler: Any, **_: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


Row = Mapping[str, Any]


def insert_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows with the same columns, at least two; omitted columns get their defaults.

    SQLAlchemy's bulk INSERT is slower: for a thousand files it takes 12 ms on SQLite, this function 6; on PostgreSQL
    it takes 25 ms, COPY 12.
    """
    if not rows:
        return
    defaults = {
        column.name: column.default.arg for column in table.c if isinstance(column.default, ScalarElementColumnDefault)
    }
    left_out = {name: value for name, value in defaults.items() if name not in rows[0]}
    columns = [*rows[0], *left_out]
    values_of, rest = itemgetter(*rows[0]), tuple(left_out.values())
    values = [values_of(row) + rest for row in rows]
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {table.name} ({', '.join(columns)}) FROM STDIN", values)
    else:
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 (names from tables.py)
        connection.exec_driver_sql(statement, values)


def _copy(connection: sa.Connection, statement: str, values: Sequence[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    every_error = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor().copy(statement) as copy:
            for row in values:
                copy.write_row(row)
    except every_error as error:  # raise the same errors as SQLAlchemy's statements
        raise sa.exc.DBAPIError.instance(statement, None, error, every_error) from error


def rows_of(connection: sa.Connection, numbers: Sequence[int]) -> sa.TableValuedAlias:
    """Return a table with the numbers in its column `value`, passed as one parameter."""
    if connection.dialect.name == "postgresql":
        return sa.func.unnest(sa.literal(numbers, ARRAY(sa.BigInteger))).table_valued("value").render_derived()
    return sa.func.json_each(json.dumps(numbers)).table_valued("value")


def lock_rows(connection: sa.Connection, query: sa.Select[Any]) -> None:
    """Lock the rows that `query` selects, waiting for other locks on them. The order: see docs/architecture.md.

    The lock is that of an ordinary UPDATE, so rows that refer to these can still be inserted.

    SQLite has a single lock for writers, and its driver acquires it only before the first write. Two transactions that
    read before they write would not see each other's changes, so the lock is acquired here.
    """
    if connection.dialect.name == "sqlite" and not _has_begun(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    connection.execute(query.with_for_update(key_share=True)).all()


def _has_begun(connection: sa.Connection) -> bool:
    driver_connection: Any = connection.connection.driver_connection
    return bool(driver_connection.in_transaction)
