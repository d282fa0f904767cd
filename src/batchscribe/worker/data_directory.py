"""One worker per data directory: two would take over each other's tasks, as those of a dead predecessor."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from batchscribe.errors import DataDirectoryBusy

LOCK_NAME = "worker.lock"
#: `read_lock_holder` holds the lock for an instant, so a process that finds it locked tries again.
TRIES, PAUSE_SEC = 4, 0.05
LOOKS_SEC = 10.0  #: in which processes that only look let go, also on a machine that stalls
UNKNOWN_HOLDER = 0


@contextmanager
def lock_data_directory(data_dir: Path) -> Iterator[None]:
    """Hold the directory's lock. The system releases it however the process ends. Raises `DataDirectoryBusy`."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK_NAME).open("a+", encoding="ascii") as lock:
        if not _try_repeatedly(lock):
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise DataDirectoryBusy(
                f"Another batchscribe process ({holder}) uses {data_dir}; wait until it ends, or choose another "
                "directory with --data-dir. If it is `batchscribe serve`, give it the work with `batchscribe jobs "
                "submit`."
            )
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def read_lock_holder(data_dir: Path) -> int | None:
    """Return the ID of the process that works in this directory, or None if there is none. Creates nothing.

    `UNKNOWN_HOLDER` is a process that has no readable ID. Raises `OSError`.
    """
    try:
        lock = (data_dir / LOCK_NAME).open(encoding="ascii")
    except FileNotFoundError:
        return None
    with lock:
        if _try(lock, fcntl.LOCK_SH):
            return None
        written = lock.read().strip()
        return int(written) if written.isdigit() else UNKNOWN_HOLDER


def _try_repeatedly(lock: IO[str]) -> bool:
    """Take the lock. Waits longer for processes that only look, which share it, than for one that works here."""
    n_held, looks_end_at = 0, time.monotonic() + LOOKS_SEC
    while not _try(lock, fcntl.LOCK_EX):
        is_shared = _try(lock, fcntl.LOCK_SH)
        fcntl.flock(lock, fcntl.LOCK_UN)
        n_held += not is_shared
        if n_held == TRIES or time.monotonic() > looks_end_at:
            return False
        time.sleep(PAUSE_SEC)
    return True


def _try(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
