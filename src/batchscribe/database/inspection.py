"""Looking at a database without touching it: for the doctor."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from batchscribe.database.clock import UnixNow
from batchscribe.database.engine import parsed_url

CONNECT_SEC = 5
STATEMENT_SEC = 5


@dataclass(frozen=True, slots=True)
class Connections:
    """Of a PostgreSQL server, all its databases together."""

    in_use: int
    most: int


def open_to_look(url: str) -> sa.Engine:
    """Nothing can be written through it. Raises `FileNotFoundError` for a SQLite file that is not there."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(Path(parsed.database or ""))
    limits = f"-c default_transaction_read_only=on -c statement_timeout={1000 * STATEMENT_SEC}"
    return sa.create_engine(
        parsed, poolclass=sa.NullPool, connect_args={"connect_timeout": CONNECT_SEC, "options": limits}
    )


def _sqlite(path: Path) -> sa.Engine:
    """Where no other process has the file open, reading it as usual would leave two files beside it."""
    if not path.is_file():
        raise FileNotFoundError(path)
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    return sa.create_engine(
        sa.URL.create("sqlite", database=f"file:{path.absolute()}", query={"uri": "true"} | dict([how.split("=")])),
        poolclass=sa.NullPool,
        connect_args={"timeout": STATEMENT_SEC},
    )


def server_version(connection: sa.Connection) -> str:
    """`PostgreSQL 15.18`, say."""
    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    return f"{'SQLite' if connection.dialect.name == 'sqlite' else 'PostgreSQL'} {version}"


def latency_sec(connection: sa.Connection) -> float:
    """Of the simplest query there is; the quickest of some."""
    took = []
    for _ in range(5):
        began_at = time.perf_counter()
        connection.execute(sa.text("SELECT 1"))
        took.append(time.perf_counter() - began_at)
    return min(took)


def connections_of_server(connection: sa.Connection) -> Connections | None:
    """None where there is no such limit."""
    if connection.dialect.name == "sqlite":
        return None
    in_use = connection.scalar(sa.text("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"))
    most = connection.scalar(sa.text("SELECT current_setting('max_connections')::int"))
    return Connections(in_use=in_use or 0, most=most or 0)


def clock_ahead_sec(connection: sa.Connection) -> float:
    """How far the database's clock is ahead of this machine's; behind where negative."""
    asked_at = time.time()
    theirs = connection.execute(sa.select(UnixNow())).scalar_one()
    return theirs - (asked_at + time.time()) / 2
