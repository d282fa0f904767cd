"""Checks of free disk space in the folders that batchscribe writes to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from batchscribe.doctor.check import Check, failed, ok, warning
from batchscribe.settings import Settings

MIB = 2**20
FULL_BYTES = 100 * MIB  #: with less, database commits may soon fail
LOW_BYTES = 1024 * MIB


def check_disks(settings: Settings) -> Iterator[Check]:
    yield check_disk("disk of the data directory", settings.data_dir, "BATCHSCRIBE_DATA_DIR")
    yield check_temporary()


def check_temporary() -> Check:
    """Check the folder for temporary files, which is used to pull models. Python writes a few bytes to find it."""
    name = "disk for temporary files"
    try:
        return check_disk(name, Path(tempfile.gettempdir()), "TMPDIR")
    except FileNotFoundError:
        advice = "Set TMPDIR to a folder with free space that this user can write to."
        return failed(name, "No folder for temporary files is writable.", advice)


def check_disk(name: str, folder: Path, variable: str) -> Check:
    """Check a folder; if it does not exist yet, its nearest existing parent."""
    existing = nearest(folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        advice = f"Allow this user to write there, or set {variable} to another folder."
        return failed(name, f"{existing} is not writable.", advice)
    return judged(name, existing, shutil.disk_usage(existing).free, variable)


def judged(name: str, folder: Path, free_bytes: int, variable: str) -> Check:
    found = f"{free_bytes / MIB:,.0f} MiB are free in {folder}."
    advice = f"Free some space, or set {variable} to another folder."
    if free_bytes < FULL_BYTES:
        return failed(name, found, advice)
    return warning(name, found, advice) if free_bytes < LOW_BYTES else ok(name, found)


def nearest(folder: Path) -> Path:
    """Return the folder itself, or its nearest parent that exists."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())
