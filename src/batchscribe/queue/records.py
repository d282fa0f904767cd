"""The database, the durable queue in it, and the keys that seal its secrets."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import sqlalchemy as sa

from batchscribe.database.connect import open_database
from batchscribe.database.schema import check_schema, migrate
from batchscribe.database.sealed import Keyring, agree_on_key, load_keyring
from batchscribe.queue.flow import Flow
from batchscribe.settings import Settings


@dataclass(frozen=True, slots=True)
class Records:
    engine: sa.Engine
    flow: Flow
    keyring: Keyring

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """Open a transaction. It commits at the end of the block, and rolls back if the block raises."""
        return self.engine.begin()


def open_records(settings: Settings) -> Records:
    """Open the database of the settings. Migrates a SQLite file; the database of a fleet must be up to date.

    Raises `SchemaMismatch`, `SecretKeyChanged`, `InvalidSetting`.
    """
    engine = open_database(settings.sqlalchemy_url)
    keyring = load_keyring(settings)
    if settings.is_fleet:
        check_schema(engine)
    else:
        migrate(engine)
    _agree_on_key(engine, keyring)
    return Records(engine=engine, flow=Flow(engine), keyring=keyring)


def migrate_records(settings: Settings) -> tuple[str | None, str]:
    """Migrate the database and the tables of DBOS. Returns the versions before and after.

    Raises `SchemaMismatch` if the database is newer than this release.
    """
    engine = open_database(settings.sqlalchemy_url)
    versions = migrate(engine)
    Flow(engine).prepare()
    return versions


def _agree_on_key(engine: sa.Engine, keyring: Keyring) -> None:
    try:
        with engine.begin() as connection:
            agree_on_key(connection, keyring)
    except sa.exc.IntegrityError:  # another process was the first
        with engine.begin() as connection:
            agree_on_key(connection, keyring)
