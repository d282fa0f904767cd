"""Open local files, and the translation of `OSError` into storage errors."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from batchscribe.errors import (
    AccessDenied,
    LocationNotAllowed,
    ObjectChanged,
    ObjectNotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from batchscribe.storage.conditional_writes import output_exists

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
#: Temporary errors, such as a network file system that is offline or a process without free descriptors.
_PASSING = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


@contextmanager
def translate_os_errors(uri: str) -> Iterator[None]:
    """Convert an `OSError` in the block into a `StorageError` that names the URI."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, uri) from error


def storage_error(error: OSError, uri: str) -> StorageError:
    reason = os.strerror(error.errno or 0)
    match error.errno:
        case errno.ENOENT:
            return ObjectNotFound(f"There is no file {uri}.")
        case errno.EACCES | errno.EPERM:
            return AccessDenied(f"{uri} is not accessible to this user; change its permissions.")
        case errno.EROFS:
            return AccessDenied(f"{uri} is on a read-only file system; choose another location.")
        case errno.EEXIST:
            return output_exists(uri)
        case errno.ELOOP:
            return LocationNotAllowed(f"{uri} is a symbolic link; links below an allowed folder are not followed.")
        case errno.EISDIR:
            return LocationNotAllowed(
                f"{uri} is not a regular file but a folder, device, pipe or socket; name another."
            )
        case errno.ENOTDIR:
            return LocationNotAllowed(f"{uri} has a file or a symbolic link in its path; name the folder itself.")
        case number if number in _FULL:
            return StorageFull(f"{uri} does not fit ({reason}); free some space on its file system.")
        case number if number in _PASSING:
            return StorageUnavailable(f"{uri} cannot be reached at the moment ({reason}).")
    return StorageError(f"{uri} cannot be used ({reason}).")


class FileRecording:
    """An open file. Replacing its directory entry has no effect. After a write to it, `read` raises `ObjectChanged`."""

    def __init__(self, uri: str, file: int) -> None:
        self.uri = uri
        self._file = file
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            self.close()
            raise StorageError(f"{uri} is not a regular file; only regular files are read.")
        self.size = facts.st_size
        self.etag = etag_of(facts)

    def read(self, offset: int, length: int) -> bytes:
        with translate_os_errors(self.uri):
            data = os.pread(self._file, max(0, min(length, self.size - offset)), offset)
            if etag_of(os.fstat(self._file)) != self.etag:
                raise ObjectChanged(f"{self.uri} was written to while it was being read; run it again.")
        return data

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def etag_of(facts: os.stat_result) -> str:
    """Return a value that changes when the file is written to, like the ETag of an object."""
    return f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'
