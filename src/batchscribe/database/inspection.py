"""Read-only inspection of a database, for the doctor."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from batchscribe.database.bulk import UnixNow
from batchscribe.database.connect import Database, parse_url

CONNECT_SEC = 5
STATEMENT_SEC = 5


@dataclass(frozen=True, slots=True)
class ConnectionCount:
    """The connections of a PostgreSQL server, for all its databases."""

    in_use: int
    most: int


def open_read_only(url: str) -> Database:
    """Open a database for reading only. Raises `FileNotFoundError` if a SQLite file does not exist."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(Path(parsed.database or ""))
    limits = f"-c default_transaction_read_only=on -c statement_timeout={1000 * STATEMENT_SEC}"
    return sa.create_engine(
        parsed, poolclass=sa.NullPool, connect_args={"connect_timeout": CONNECT_SEC, "options": limits}
    )


def _sqlite(path: Path) -> Database:
    """Open a SQLite file. If no process has it open, `immutable` avoids the two files that reading would create."""
    if not path.is_file():
        raise FileNotFoundError(path)
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    return sa.create_engine(
        sa.URL.create("sqlite", database=f"file:{path.absolute()}", query={"uri": "true"} | dict([how.split("=")])),
        poolclass=sa.NullPool,
        connect_args={"timeout": STATEMENT_SEC},
    )


def server_version(connection: sa.Connection) -> str:
    """Return the product and version, for example `PostgreSQL 15.18`."""
    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    return f"{'SQLite' if connection.dialect.name == 'sqlite' else 'PostgreSQL'} {version}"


def measure_latency(connection: sa.Connection) -> float:
    """Return the latency of a trivial query in seconds, the minimum of five."""
    took = []
    for _ in range(5):
        began_at = time.perf_counter()
        connection.execute(sa.text("SELECT 1"))
        took.append(time.perf_counter() - began_at)
    return min(took)


def connections_of_server(connection: sa.Connection) -> ConnectionCount | None:
    """Return the connections of the server; None if there is no limit."""
    if connection.dialect.name == "sqlite":
        return None
    in_use = connection.scalar(sa.text("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"))
    most = connection.scalar(sa.text("SELECT current_setting('max_connections')::int"))
    return ConnectionCount(in_use=in_use or 0, most=most or 0)


def measure_clock_offset(connection: sa.Connection) -> float:
    """Return how far the database's clock is ahead of this machine's, in seconds; negative if it is behind."""
    sent_at = time.time()
    database_time = connection.execute(sa.select(UnixNow())).scalar_one()
    return database_time - (sent_at + time.time()) / 2
