"""The one SQLAlchemy engine of a process, shared with the durable engine so that both commit together."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import Connection
from typing import Any

import sqlalchemy as sa
from psycopg import Connection as PsycopgConnection
from sqlalchemy import event
from sqlalchemy.pool import ConnectionPoolEntry

IDLE_SEC = 15  #: half of the time after which a worker that stands still is taken for dead
POOL_SIZE = 32  #: connections kept; every thread of work holds one only for a short transaction

#: Pages of 4 KiB in the log of SQLite before they go into the file. The hashes of outputs lie all over their index, so
#: a checkpoint at every 1000 pages wrote each of its pages again and again: 31 ms for a thousand files, and 15 now.
CHECKPOINT_PAGES = 8000


def open_engine(url: str) -> sa.Engine:
    """Connect to SQLite (a file) or PostgreSQL; makes the folder of a SQLite file.

    Errors do not tell the values of their statement: they are logged, and values may be secrets.
    """
    parsed = parsed_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = sa.create_engine(parsed, pool_size=POOL_SIZE, pool_pre_ping=True, hide_parameters=True)
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(parsed, pool_size=POOL_SIZE, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def parsed_url(url: str) -> sa.URL:
    """`postgresql://` means the driver that we ship."""
    parsed = sa.make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def _prepare_postgresql(connection: PsycopgConnection[Any], _entry: ConnectionPoolEntry) -> None:
    """Whoever stands still in a transaction, or loses its network in one, holds up the others only for a while."""
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SEC}s'")
    connection.commit()


def _prepare_sqlite(connection: Connection, _entry: ConnectionPoolEntry) -> None:
    """Writers queue up instead of failing, readers never wait.

    WAL with `synchronous=NORMAL` keeps every commit over the death of the process; a power cut may lose the last
    ones, whose files are then simply done again.
    """
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    connection.execute("PRAGMA foreign_keys=ON")
