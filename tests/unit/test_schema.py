"""The migrations and the tables say the same, and the SQLite file is set up for many writers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from batchscribe.database.engine import open_engine
from batchscribe.database.schema import migrate
from batchscribe.database.tables import metadata


def test_migrated_schema_is_the_one_of_the_tables(connection: sa.Connection) -> None:
    context = MigrationContext.configure(connection, opts={"version_table": "batchscribe_schema"})
    assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE kept (x INTEGER)"))
    migrate(engine)
    assert "kept" in sa.inspect(engine).get_table_names()


def test_every_connection_writes_ahead_and_waits_for_its_turn(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA busy_timeout")) == 30_000
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1


def test_plain_postgresql_urls_mean_the_driver_we_ship() -> None:
    engine = open_engine("postgresql://somebody@localhost/batchscribe")
    assert engine.url.drivername == "postgresql+psycopg"
