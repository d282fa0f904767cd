"""Opening what is on record, with a sentence for a folder or a database that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import sqlalchemy as sa

from batchscribe.errors import InvalidSetting
from batchscribe.settings import Settings
from batchscribe.work.data_directory import only_worker
from batchscribe.work.records import Records, open_records


def opened(settings: Settings) -> Records:
    """Raises `InvalidSetting`."""
    try:
        return open_records(settings)
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


def _unusable(settings: Settings, error: OSError) -> InvalidSetting:
    return InvalidSetting(
        f"The data directory {settings.data_dir} cannot be used ({error.strerror}); choose another with --data-dir."
    )
