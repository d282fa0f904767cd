"""The database, the durable queue in it, the keys that seal its secrets, and how long these are kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property

from batchscribe.database.connect import Connection, Database, UniqueConflict, open_database
from batchscribe.database.schema import check_schema, migrate
from batchscribe.database.sealed import KeepTimes, Keyring, agree_on_key, load_keyring
from batchscribe.queue.task_queue import TaskQueue
from batchscribe.settings import Settings


@dataclass(frozen=True)
class Records:
    database: Database
    open_queue: Callable[[Database], TaskQueue]
    keyring: Keyring
    keep: KeepTimes = field(default_factory=KeepTimes)

    @cached_property
    def flow(self) -> TaskQueue:
        """The queue, opened when it is first used: a command that only reads rows does not load it."""
        return self.open_queue(self.database)

    def transaction(self) -> AbstractContextManager[Connection]:
        """Open a transaction. It commits at the end of the block, and rolls back if the block raises."""
        return self.database.begin()


def open_records(settings: Settings) -> Records:
    """Open the database of the settings. Migrates a SQLite file; the database of a fleet must be up to date.

    Raises `SchemaMismatch`, `SecretKeyChanged`, `InvalidSetting`.
    """
    database = open_database(settings.effective_database_url)
    keyring = load_keyring(settings)
    if settings.is_fleet:
        check_schema(database)
    else:
        migrate(database)
    _agree_on_key(database, keyring)
    keep = KeepTimes(credentials_sec=settings.credentials_keep_sec, webhook_sec=settings.webhook_keep_sec)
    return Records(database=database, open_queue=_open_queue, keyring=keyring, keep=keep)


def migrate_records(settings: Settings) -> tuple[str | None, str]:
    """Migrate the database and the tables of DBOS. Returns the versions before and after.

    Raises `SchemaMismatch` if the database is newer than this release.
    """
    database = open_database(settings.effective_database_url)
    try:
        versions = migrate(database)
        _open_queue(database).prepare()
    finally:
        database.dispose()
    return versions


def _open_queue(database: Database) -> TaskQueue:
    from batchscribe.queue.flow import Flow  # it imports DBOS, which takes a third of a second

    return Flow(database)


def _agree_on_key(database: Database, keyring: Keyring) -> None:
    try:
        with database.begin() as connection:
            agree_on_key(connection, keyring)
    except UniqueConflict:  # another process was the first
        with database.begin() as connection:
            agree_on_key(connection, keyring)
