"""Room on disk, where batchscribe writes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from batchscribe.doctor.check import Check, failed, ok, warning
from batchscribe.settings import Settings

MIB = 2**20
FULL_BYTES = 100 * MIB  #: below that a database is about to refuse commits
LOW_BYTES = 1024 * MIB


def check_disks(settings: Settings) -> Iterator[Check]:
    yield check_disk("disk of the data directory", settings.data_dir, "BATCHSCRIBE_DATA_DIR")
    yield check_temporary()


def check_temporary() -> Check:
    """Python itself writes a few bytes to find out; models are pulled through it."""
    name = "disk for temporary files"
    try:
        return check_disk(name, Path(tempfile.gettempdir()), "TMPDIR")
    except FileNotFoundError:
        advice = "Set TMPDIR to a folder with free space that this user can write to."
        return failed(name, "No folder for temporary files can be written to.", advice)


def check_disk(name: str, folder: Path, variable: str) -> Check:
    """Of a folder that need not be there yet: then it is its nearest parent that counts."""
    there = nearest(folder)
    if not os.access(there, os.W_OK | os.X_OK):
        advice = f"Give this user the right to, or name another folder in {variable}."
        return failed(name, f"Nothing can be written to {there}.", advice)
    return judged(name, there, shutil.disk_usage(there).free, variable)


def judged(name: str, folder: Path, free_bytes: int, variable: str) -> Check:
    found = f"{free_bytes / MIB:,.0f} MiB are free in {folder}."
    advice = f"Make room, or name another folder in {variable}."
    if free_bytes < FULL_BYTES:
        return failed(name, found, advice)
    return warning(name, found, advice) if free_bytes < LOW_BYTES else ok(name, found)


def nearest(folder: Path) -> Path:
    """The folder itself or the first one above it that exists."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())
