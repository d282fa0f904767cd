"""The version of the schema. Migrations are files in `migrations/versions`; they only go forward.

A fleet is upgraded without stopping: run `batchscribe migrate` of the new release first, then replace the processes one
by one. Therefore a migration adds only what older releases can ignore, and its name says which releases these are:
`0009_fits_0007` fits every release whose newest schema is 0007 or later. A later migration, without such a suffix,
removes what only older releases use.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from batchscribe.database.connect import Database
from batchscribe.errors import SchemaMismatch

VERSION_TABLE = "batchscribe_schema"
#: A version, with the oldest version whose releases can work with it.
FITTING = re.compile(r"[0-9]{4}_fits_([0-9]{4})")
MIGRATIONS = Path(__file__).parent / "migrations"
REVISION = re.compile(r'^revision = "(.+)"$', re.MULTILINE)  #: the line of a migration that names its version
MIGRATION_LOCK = 0x62617463  #: a PostgreSQL advisory lock: of several concurrent migrations, only one runs


def migrate(database: Database) -> tuple[str | None, str]:
    """Apply the missing migrations in one transaction; return the versions before and after.

    Raises `SchemaMismatch` if the schema is newer than this release supports.
    """
    with database.begin() as connection:
        before = version_of(connection)
        if not _is_usable_version(before):
            _lock_schema(connection)
            before = version_of(connection)  # another process may have migrated it meanwhile
        if _is_usable_version(before):
            return before, str(before)
        _refuse_newer(before)
        _upgrade(connection)
    return before, newest()


def _lock_schema(connection: sa.Connection) -> None:
    """Wait until no other process migrates the database, and keep others from it until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def check_schema(database: Database) -> None:
    """Raise `SchemaMismatch` if this release cannot work with the database."""
    with database.connect() as connection:
        version = version_of(connection)
    if _is_usable_version(version):
        return
    _refuse_newer(version)
    found = "no batchscribe schema yet" if version is None else f"schema {version}, this release needs {newest()}"
    raise SchemaMismatch(f"The database has {found}; run `batchscribe migrate` with the same database first.")


def is_usable(database: Database) -> bool:
    """Return whether this release can work with the current schema."""
    with database.connect() as connection:
        version = version_of(connection)
    return _is_usable_version(version)


def _is_usable_version(version: str | None) -> bool:
    return version == newest() or fits(version)


@cache
def newest() -> str:
    """Return the version that this release needs."""
    return max(_list_revisions())


def is_newer(version: str | None) -> bool:
    """Return whether a newer release created this version."""
    return version is not None and version not in _list_revisions()


def fits(version: str | None) -> bool:
    """Return whether the schema is newer and its name says that this release can work with it."""
    found = FITTING.fullmatch(version or "")
    return found is not None and is_newer(version) and found[1] <= newest()[:4]


@cache
def _list_revisions() -> frozenset[str]:
    """Read the versions from the migrations as text. Alembic would take 0.1 s to load, in every command."""
    texts = (migration.read_text() for migration in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    return frozenset(found[1] for text in texts if (found := REVISION.search(text)))


def _refuse_newer(version: str | None) -> None:
    if is_newer(version):
        raise SchemaMismatch(
            f"The database has schema {version}, which is newer than {newest()} of this release; install the release "
            "that the other processes run."
        )


def version_of(connection: sa.Connection) -> str | None:
    """Return the version of the database's schema; None if it has no batchscribe schema."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalar(sa.select(_VERSION.c.version_num))


_VERSION = sa.table(VERSION_TABLE, sa.column("version_num", sa.Text))


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
