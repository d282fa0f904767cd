"""The record of `file://`, and the check of its folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from batchscribe.check import Check, ok, report_failure, warning
from batchscribe.settings import Settings
from batchscribe.storage.access import Access
from batchscribe.storage.local.file_store import FileStore
from batchscribe.storage.local.roots import PLACEHOLDER, Roots
from batchscribe.storage.scheme import CheckUri, Scheme


def _checker(access: Access) -> CheckUri:
    roots = Roots(access.file_roots)

    def check(uri: str) -> None:
        roots.place(uri)

    return check


def _connect(access: Access) -> FileStore:
    return FileStore(access.file_roots)


def check_root(root: Path) -> Check:
    """Check a folder that `file://` URIs may use."""
    name = "folder of file:// URIs"
    root = Path(str(root).partition(PLACEHOLDER)[0])  # below it, each tenant has a folder
    if not root.is_dir():
        return report_failure(
            name, f"{root} is not a folder.", "Create it, mount it, or correct BATCHSCRIBE_FILE_ROOTS."
        )
    if not os.access(root, os.R_OK | os.X_OK):
        return report_failure(name, f"{root} is not readable.", "Allow this user to read it.")
    if not os.access(root, os.W_OK):
        return warning(name, f"{root} is not writable.", "For recordings, this is fine; store transcripts elsewhere.")
    return ok(name, f"{root} is readable and writable.")


def _examine(settings: Settings) -> Iterator[Check]:
    return (check_root(root) for root in settings.file_roots)


FILE = Scheme("file", checker=_checker, connect=_connect, examine=_examine)
