"""Listings of the regular files below a folder, in an order that allows resuming."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from batchscribe.errors import BucketNotFound, ObjectNotFound, StorageError
from batchscribe.storage.local.local_recording import etag_of, storage_error, translate_os_errors
from batchscribe.storage.local.local_write import DRAFT_PREFIX
from batchscribe.storage.local.roots import RootedPath, open_folder, quote_path
from batchscribe.storage.store import PAGE_SIZE, ObjectInfo, Page

MAX_DEPTH = 200  #: nested folders; each needs one descriptor, and the usual limit of a process is 1,024
LIST_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def walk(prefix_uri: str, place: RootedPath, seen: tuple[str, ...]) -> Iterator[Page]:
    """Return pages of the files below `place` that follow the path `seen`, ordered by path components.

    `prefix_uri` has no trailing "/". Memory holds only the names in the folders on the current path. Raises
    `BucketNotFound` if the folder does not exist, `AccessDenied` if a folder below it cannot be listed.
    """
    with _listed_folder(prefix_uri, place) as folder:
        files = _files(prefix_uri, folder, seen, MAX_DEPTH)
        while page := list(islice(files, PAGE_SIZE)):
            yield page


@contextmanager
def _listed_folder(uri: str, place: RootedPath) -> Iterator[int]:
    try:
        with translate_os_errors(uri), open_folder(place) as step:
            folder = os.open(".", LIST_FLAGS, dir_fd=step)
    except ObjectNotFound as error:
        raise BucketNotFound(f"There is no folder {uri}/.") from error
    try:
        yield folder
    finally:
        os.close(folder)


def _files(folder_uri: str, folder: int, seen: tuple[str, ...], depth: int) -> Iterator[ObjectInfo]:
    if depth == 0:
        raise StorageError(f"{folder_uri}/ is more than {MAX_DEPTH} folders deep; list a folder below the prefix.")
    first, behind = (seen[0], seen[1:]) if seen else ("", ())
    with translate_os_errors(folder_uri + "/"):
        names = sorted(name for name in os.listdir(folder) if name >= first and not name.startswith(DRAFT_PREFIX))
    for name in names:
        uri = f"{folder_uri}/{quote_path(name)}"
        facts = _facts(uri, folder, name)
        if facts is None:
            continue
        if stat.S_ISDIR(facts.st_mode):
            yield from _files_below(uri, folder, name, behind if name == first else (), depth - 1)
        elif stat.S_ISREG(facts.st_mode) and name != first:
            yield ObjectInfo(uri, facts.st_size, etag_of(facts))
        elif stat.S_ISLNK(facts.st_mode) and name != first:
            yield ObjectInfo(uri, 0, None, is_link=True)


def _files_below(uri: str, folder: int, name: str, seen: tuple[str, ...], depth: int) -> Iterator[ObjectInfo]:
    try:
        with translate_os_errors(uri + "/"):
            below = os.open(name, LIST_FLAGS, dir_fd=folder)
    except ObjectNotFound:  # deleted during the listing
        return
    try:
        yield from _files(uri, below, seen, depth)
    finally:
        os.close(below)


def _facts(uri: str, folder: int, name: str) -> os.stat_result | None:
    """Return the file's status. None if the file was deleted after its folder was read."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(error, uri) from error
