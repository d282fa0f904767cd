"""The migrations match the tables, and the SQLite file is configured for many writers."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from batchscribe.database.connect import open_database
from batchscribe.database.job_rows import BY_ID
from batchscribe.database.schema import VERSION_TABLE, check_schema, is_usable, migrate, newest
from batchscribe.database.tables import file, metadata
from batchscribe.errors import SchemaMismatch
from batchscribe.wire.choices import FileState
from tests.databases import on_sqlite


def test_migrated_schema_is_the_one_of_the_tables(connection: sa.Connection) -> None:
    on_sqlite = connection.dialect.name == "sqlite"

    def is_compared(_item: object, name: str | None, kind: str, *_: object) -> bool:
        """Leave out the full-text index: SQLite keeps it in tables of its own, PostgreSQL in indexes."""
        of_index = {"table": "segment_index", "index": "transcript_segment_by"}.get(kind)
        return not (on_sqlite and of_index and (name or "").startswith(of_index))

    opts = {"version_table": "batchscribe_schema", "include_object": is_compared}
    context = MigrationContext.configure(connection, opts=opts)
    assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE kept (x INTEGER)"))
    migrate(engine)
    assert "kept" in sa.inspect(engine).get_table_names()


def put_at_version(engine: sa.Engine, version: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.update(sa.table(VERSION_TABLE, sa.column("version_num"))).values(version_num=version))


@pytest.mark.parametrize("oldest", ["0001", newest()[:4]])
def test_a_newer_schema_that_fits_this_release_is_used_and_left_alone(engine: sa.Engine, oldest: str) -> None:
    version = f"9999_fits_{oldest}"
    put_at_version(engine, version)
    check_schema(engine)
    assert is_usable(engine)
    assert migrate(engine) == (version, version)


@pytest.mark.parametrize("version", ["9999", "9999_fits_9998", "9999_fits_"])
def test_a_newer_schema_that_does_not_fit_this_release_is_refused(engine: sa.Engine, version: str) -> None:
    put_at_version(engine, version)
    assert not is_usable(engine)
    with pytest.raises(SchemaMismatch, match="newer than"):
        check_schema(engine)
    with pytest.raises(SchemaMismatch, match="newer than"):
        migrate(engine)


def test_an_older_schema_is_refused_until_it_is_migrated(engine: sa.Engine) -> None:
    put_at_version(engine, "0001")
    assert not is_usable(engine)
    with pytest.raises(SchemaMismatch, match="run `batchscribe migrate`"):
        check_schema(engine)


@on_sqlite
def test_every_connection_writes_ahead_and_waits_for_its_turn(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA busy_timeout")) == 30_000
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1


def test_plain_postgresql_urls_mean_the_driver_we_ship() -> None:
    engine = open_database("postgresql://somebody@localhost/batchscribe")
    assert engine.url.drivername == "postgresql+psycopg"


@on_sqlite
@pytest.mark.parametrize(
    ("query", "index"),
    [
        (sa.select(file).where(file.c.job == 1, file.c.shard == 2).order_by(file.c.seq), "file_by_shard"),
        (
            sa.select(file)
            .where(file.c.job == 1, file.c.seq > 5, file.c.state == FileState.FAILED)
            .order_by(file.c.seq)
            .limit(9),
            "file_by_state",
        ),
        (BY_ID, "file_by_shard"),
        (BY_ID, "shard_running"),
    ],
)
def test_a_job_of_a_million_files_is_read_along_the_index_that_is_for_it(
    connection: sa.Connection, query: sa.Select[Any], index: str
) -> None:
    """Without the statistics of migration 0003 SQLite reads every file of the job."""
    written = query.params(of_job_id="job_1").compile(connection, compile_kwargs={"literal_binds": True})
    plan = connection.execute(sa.text(f"EXPLAIN QUERY PLAN {written}")).all()
    assert any(f"INDEX {index} " in row[-1] for row in plan), plan
