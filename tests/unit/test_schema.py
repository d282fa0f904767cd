"""The migrations match the tables, and the SQLite file is configured for many writers."""

from __future__ import annotations

import time
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from batchscribe.database.connect import open_database
from batchscribe.database.job_rows import BY_ID
from batchscribe.database.schema import VERSION_TABLE, check_schema, is_usable, migrate, newest
from batchscribe.database.tables import file, job, metadata
from batchscribe.database.watched_rows import watched
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
    assert watched.metadata is metadata  # it is defined with its queries
    assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE kept (x INTEGER)"))
    migrate(engine)
    assert "kept" in sa.inspect(engine).get_table_names()


def test_a_job_in_progress_has_worked_since_it_was_submitted(database: str) -> None:
    """Otherwise it looks as if its audio had been transcribed since the upgrade."""
    engine = open_database(database)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # fresh databases are migrated
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
    config = Config()
    config.set_main_option("script_location", "batchscribe:database/migrations")
    common: dict[str, Any] = {
        "tenant": "a",
        "lane": "main",
        "request": "{}",
        "sources": "[]",
        "file_roots": "[]",
        "s3": "{}",
    }
    common |= {"engine": "", "model": "", "model_revision": "", "speed": 1.0, "fingerprint": ""}
    begun_at = time.time() - 36_000
    jobs = [("worked", "PROCESSING", 36_000.0), ("new", "PROCESSING", 0.0), ("ended", "SUCCEEDED", 36_000.0)]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0010_fits_0007")
        table = sa.Table("job", sa.MetaData(), autoload_with=connection)
        for job_id, state, audio_sec in jobs:
            row = common | {"job_id": job_id, "state": state, "submitted_at": begun_at, "audio_sec": audio_sec}
            left = {column.name: 0 for column in table.c if not column.nullable and column.name not in {*row, "number"}}
            connection.execute(sa.insert(table).values({**left, "listed": False, "credentials_accepted": False} | row))
    migrate(engine)
    with engine.begin() as connection:
        times = {
            row.job_id: row for row in connection.execute(sa.select(job.c.job_id, job.c.begun_at, job.c.changed_at))
        }
    assert times["worked"].begun_at == begun_at
    assert times["worked"].changed_at == pytest.approx(time.time(), abs=60)
    assert [times[name].begun_at for name in ("new", "ended")] == [None, None]
    engine.dispose()


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
