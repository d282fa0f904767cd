"""What tests need to know of the two supported databases."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from batchscribe.database.connect import open_database

#: For a test that is about SQLite itself; others that use the fixture `database` run on both.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

#: Tables, indexes and overflow: whole files, including deleted data that is not yet overwritten.
STORED = sa.text(
    "SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class "
    "WHERE relkind IN ('r', 'i', 't', 'S') AND pg_relation_filenode(oid) IS NOT NULL AND oid >= 16384"
)


def engine_tasks(connection: sa.Connection) -> dict[str, str]:
    """Return the tasks in DBOS: ID to status."""
    schema = None if connection.dialect.name == "sqlite" else "dbos"
    table = sa.table("workflow_status", sa.column("workflow_uuid"), sa.column("status"), schema=schema)
    return {row.workflow_uuid: row.status for row in connection.execute(sa.select(table))}


def stored_bytes(url: str) -> bytes:
    """Return all bytes that the database keeps on disk."""
    if url.startswith("sqlite"):
        path = Path(sa.make_url(url).database or "")
        return b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*")))
    engine = sa.create_engine(open_database(url).url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("CHECKPOINT"))
        return b"".join(connection.scalars(STORED))
