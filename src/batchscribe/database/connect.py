"""Connect to the database, with one pool of connections per process.

The queue uses the same connections, so its tasks and our rows commit together. Other packages use the names of this
module and do not import SQLAlchemy.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import ConnectionPoolEntry

if TYPE_CHECKING:  # SQLAlchemy imports the driver of PostgreSQL when it is used
    from psycopg import Connection as PsycopgConnection

Database = sa.Engine  #: its `begin` and `connect` return a `Connection`
Connection = sa.Connection
DatabaseError = sa.exc.SQLAlchemyError  #: any error of a statement or a connection
DriverError = sa.exc.DBAPIError  #: an error that the database reports, or the failure to reach it
UniqueConflict = sa.exc.IntegrityError  #: another row has the same unique values
InvalidUrl = sa.exc.ArgumentError  #: the database's URL cannot be parsed

IDLE_SEC = 15  #: half of the time after which a silent worker is presumed dead
POOL_SIZE = 32  #: connections kept; each thread uses one only for short transactions

#: Pages of 4 KiB in SQLite's WAL before a checkpoint. Output hashes are spread over their whole index, so that
#: checkpoints every 1000 pages wrote each of its pages repeatedly: a thousand files took 31 ms, and now take 15.
CHECKPOINT_PAGES = 8000


def open_database(url: str) -> Database:
    """Open a SQLite file, creating its folder, or a PostgreSQL database.

    Errors do not contain the parameters of the statement, because they are logged and parameters may be secret.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        database = sa.create_engine(parsed, pool_size=POOL_SIZE, pool_pre_ping=True, hide_parameters=True)
        event.listen(database, "connect", _prepare_postgresql)
        return database
    if parsed.database:
        _make_private(Path(parsed.database))
    database = sa.create_engine(parsed, pool_size=POOL_SIZE, hide_parameters=True)
    event.listen(database, "connect", _prepare_sqlite)
    return database


def _make_private(path: Path) -> None:
    """Create the file, if it does not exist, for its user only: with search, it contains the text of transcripts.

    SQLite gives the files beside it, such as the WAL, the same permissions.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # it exists, or SQLite will say why it cannot be opened
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def sqlite_file_exists(url: str) -> bool:
    """Return whether a SQLite database has been created."""
    path = parse_url(url).database
    return path is not None and Path(path).exists()


def parse_url(url: str) -> sa.URL:
    """Parse the URL; `postgresql://` selects the driver that batchscribe depends on."""
    parsed = sa.make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def _prepare_postgresql(connection: PsycopgConnection[Any], _entry: ConnectionPoolEntry) -> None:
    """Limit how long a process that hangs or loses its network in a transaction can block others."""
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SEC}s'")
    connection.commit()


def _prepare_sqlite(connection: SqliteConnection, _entry: ConnectionPoolEntry) -> None:
    """Make writers wait instead of failing; readers never wait.

    With WAL and `synchronous=NORMAL`, every commit survives a crash of the process. A power failure may lose the last
    commits, whose files are then processed again.
    """
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    connection.execute("PRAGMA foreign_keys=ON")


#: Errors after which a retry may succeed: the database is down, restarts, or has ended a transaction. psycopg raises
#: `InternalError` if an idle transaction was ended, and `InterfaceError` if the connection was already closed.
#: `TimeoutError`: no connection of the pool became free.
DATABASE_TROUBLE = (
    sa.exc.OperationalError,
    sa.exc.InternalError,
    sa.exc.InterfaceError,
    sa.exc.TimeoutError,
)
RETRY_SEC = 5.0  #: between two attempts


def limit_statements(connection: Connection, within_sec: float) -> None:
    """End the statements of this transaction that take longer. Only PostgreSQL can do that."""
    if is_postgresql(connection):
        connection.execute(sa.text(f"SET LOCAL statement_timeout = {int(1000 * within_sec)}"))


def is_postgresql(database: Database | Connection) -> bool:
    return database.dialect.name == "postgresql"


def cause_of(error: Exception) -> str:
    """Return the driver's message, without the statement."""
    return str(getattr(error, "orig", None) or error).strip()
