"""Access to the database of the settings, with clear messages if it or the data directory cannot be used."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from batchscribe.database.connect import DriverError, InvalidUrl, sqlite_file_exists
from batchscribe.errors import InvalidSetting
from batchscribe.queue.records import Records, migrate_records, open_records
from batchscribe.settings import Settings
from batchscribe.worker.data_directory import lock_data_directory


def open_local_records(settings: Settings) -> Records:
    """Open the database. Raises `InvalidSetting`, `SchemaMismatch`, `SecretKeyChanged`."""
    with _explain_errors(settings):
        return open_records(settings)


def has_records(settings: Settings) -> bool:
    """Return whether the database exists; one on a server counts as existing."""
    return settings.is_fleet or sqlite_file_exists(settings.effective_database_url)


def migrate_local_records(settings: Settings) -> tuple[str | None, str]:
    """Migrate the schema and return its versions before and after. Raises `InvalidSetting`, `SchemaMismatch`."""
    with _explain_errors(settings):
        return migrate_records(settings)


@contextmanager
def _explain_errors(settings: Settings) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _explain_folder(settings, error) from error
    except InvalidUrl as error:
        raise InvalidSetting("BATCHSCRIBE_DATABASE_URL: this URL cannot be parsed.") from error
    except DriverError as error:
        place = "see BATCHSCRIBE_DATABASE_URL"
        if settings.database_url is None:
            place = f"check the permissions in {settings.data_dir}, or choose another folder with --data-dir"
        raise InvalidSetting(f"The database cannot be opened ({error.orig}); {place}.") from error


@contextmanager
def open_alone(settings: Settings) -> Iterator[Records]:
    """Open the database as the only worker in the data directory. Raises `DataDirectoryBusy`, `InvalidSetting`."""
    with ExitStack() as lock:
        try:
            lock.enter_context(lock_data_directory(settings.data_dir))
        except OSError as error:
            raise _explain_folder(settings, error) from error
        yield open_local_records(settings)


def name_home(settings: Settings) -> str:
    """Return a name for the data directory that is unique among all machines."""
    return f"{socket.gethostname()}:{settings.data_dir.absolute()}"


def _explain_folder(settings: Settings, error: OSError) -> InvalidSetting:
    return InvalidSetting(
        f"The data directory {settings.data_dir} cannot be used ({error.strerror}); choose another with --data-dir."
    )
