"""The schema's version: migrations are files in `migrations/versions`, forward only."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from batchscribe.errors import SchemaMismatch

VERSION_TABLE = "batchscribe_schema"
MIGRATION_LOCK = 0x62617463  #: of PostgreSQL: of several that migrate at once, one does, and the others find it done


def migrate(engine: sa.Engine) -> tuple[str | None, str]:
    """Apply what is missing, in one transaction; the versions before and after.

    Raises `SchemaMismatch` for a schema that is newer.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        before = version_of(connection)
        if before != newest():
            _refuse_newer(before)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return before, newest()


def check_schema(engine: sa.Engine) -> None:
    """Raises `SchemaMismatch` when the database is not as this release needs it."""
    with engine.connect() as connection:
        version = version_of(connection)
    if version == newest():
        return
    _refuse_newer(version)
    found = "no schema of batchscribe yet" if version is None else f"schema {version}, this release needs {newest()}"
    raise SchemaMismatch(f"The database has {found}; run `batchscribe migrate` with the same database first.")


def is_current(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        return version_of(connection) == newest()


@cache
def newest() -> str:
    """The version that this release needs."""
    return _script().get_current_head() or ""


def is_newer(version: str | None) -> bool:
    """Whether a release that is newer than this one made it."""
    known = {revision.revision for revision in _script().walk_revisions()}
    return version is not None and version not in known


def _refuse_newer(version: str | None) -> None:
    if is_newer(version):
        raise SchemaMismatch(
            f"The database has schema {version}, which is newer than {newest()} of this release; install the release "
            "that the others run."
        )


def version_of(connection: sa.Connection) -> str | None:
    """The version that a database has; none when it has no schema of ours."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
