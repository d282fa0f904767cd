"""Opening what is on record, with a sentence for a folder or a database that cannot be used."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import sqlalchemy as sa

from batchscribe.errors import InvalidSetting
from batchscribe.settings import Settings
from batchscribe.work.data_directory import only_worker
from batchscribe.work.records import Records, migrate_records, open_records


def opened(settings: Settings) -> Records:
    """Raises `InvalidSetting`, `SchemaMismatch`, `SecretKeyChanged`."""
    with _told(settings):
        return open_records(settings)


def migrated(settings: Settings) -> tuple[str | None, str]:
    """The versions of the schema before and after. Raises `InvalidSetting`, `SchemaMismatch`."""
    with _told(settings):
        return migrate_records(settings)


@contextmanager
def _told(settings: Settings) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unusable(settings, error) from error
    except sa.exc.ArgumentError as error:
        raise InvalidSetting("BATCHSCRIBE_DATABASE_URL is not a URL that SQLAlchemy understands.") from error
    except sa.exc.DBAPIError as error:
        raise InvalidSetting(f"The database cannot be opened ({error.orig}); see BATCHSCRIBE_DATABASE_URL.") from error


@contextmanager
def opened_alone(settings: Settings) -> Iterator[Records]:
    """As the one process that works in the data directory. Raises `DataDirectoryBusy`, `InvalidSetting`."""
    with ExitStack() as lock:
        try:
            lock.enter_context(only_worker(settings.data_dir))
        except OSError as error:
            raise _unusable(settings, error) from error
        yield opened(settings)


def home_of(settings: Settings) -> str:
    """Names the data directory among all machines; for a process that has it alone."""
    return f"{socket.gethostname()}:{settings.data_dir.absolute()}"


def _unusable(settings: Settings, error: OSError) -> InvalidSetting:
    return InvalidSetting(
        f"The data directory {settings.data_dir} cannot be used ({error.strerror}); choose another with --data-dir."
    )
