"""Atomic writes of single files that never replace another file by accident."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress

#: Prefix of temporary files, which are in the folder of the final file. Listings omit them.
DRAFT_PREFIX = ".batchscribe-draft-"
DRAFT_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: FAT and some FUSE and network file systems do not support hard links.
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def write_file(folder: int, name: str, data: bytes, *, overwrite: bool) -> None:
    """Write a file durably. `folder` is a descriptor. Only regular files are ever replaced.

    Raises `FileExistsError` if the file exists and `overwrite` is false.
    """
    if overwrite:
        _check_regular(folder, name)
    draft = DRAFT_PREFIX + secrets.token_hex(8)
    try:
        _write_draft(folder, draft, data)
        if overwrite:
            os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            _publish_new(folder, draft, name)
    finally:
        _remove(folder, draft)
    _sync_folder(folder)


def _check_regular(folder: int, name: str) -> None:
    """Raise `OSError` if the name exists but is not a regular file: ELOOP for a symbolic link, else EISDIR."""
    with suppress(FileNotFoundError):
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):
            number = errno.ELOOP if stat.S_ISLNK(mode) else errno.EISDIR
            raise OSError(number, os.strerror(number), name)


def _write_draft(folder: int, draft: str, data: bytes) -> None:
    with os.fdopen(os.open(draft, DRAFT_FLAGS, 0o666, dir_fd=folder), "wb", buffering=0) as file:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def _publish_new(folder: int, draft: str, name: str) -> None:
    """Publish the file with a hard link: the only call that publishes it complete and fails if the name exists."""
    try:
        os.link(draft, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        _rename_new(folder, draft, name)


def _rename_new(folder: int, draft: str, name: str) -> None:
    """Publish without hard links. Two simultaneous writers could both succeed, but each file is complete."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)


def _remove(folder: int, draft: str) -> None:
    with suppress(FileNotFoundError):  # it was never created or already has its final name
        os.unlink(draft, dir_fd=folder)


def _sync_folder(folder: int) -> None:
    """Make the new name survive a power loss, before the database records the file as done."""
    readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.fsync(readable)
    finally:
        os.close(readable)
