"""One worker per data directory: two would take over each other's tasks, as those of a dead predecessor."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batchscribe.errors import DataDirectoryBusy

LOCK_NAME = "worker.lock"


@contextmanager
def lock_data_directory(data_dir: Path) -> Iterator[None]:
    """Hold the directory's lock. The system releases it however the process ends. Raises `DataDirectoryBusy`."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK_NAME).open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise DataDirectoryBusy(
                f"Another batchscribe process ({holder}) uses {data_dir}; wait until it ends, or choose another "
                "directory with --data-dir."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
