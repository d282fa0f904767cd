"""What an `OSError` below a root means to the user: one mapping for the whole of `file://`."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from batchscribe.errors import (
    AccessDenied,
    LocationNotAllowed,
    ObjectNotFound,
    OutputExists,
    StorageError,
    StorageFull,
    StorageUnavailable,
)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
#: A network file system that is away, or a process out of descriptors: another try may do.
_PASSING = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


@contextmanager
def told(uri: str) -> Iterator[None]:
    """Turns an `OSError` of the block into the `StorageError` that names the URI."""
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
            return AccessDenied(f"{uri} may not be used by this user; change its permissions.")
        case errno.EROFS:
            return AccessDenied(f"{uri} is on a read-only file system; choose another place.")
        case errno.EEXIST:
            return OutputExists(f"{uri} exists already; allow overwriting or choose another output.")
        case errno.ELOOP:
            return LocationNotAllowed(f"{uri} is a symbolic link, and none is followed below an allowed folder.")
        case errno.EISDIR:
            return LocationNotAllowed(
                f"{uri} is not a regular file but a folder, device, pipe or socket; name another."
            )
        case errno.ENOTDIR:
            return LocationNotAllowed(f"{uri} leads through a file or a symbolic link; name the folder itself.")
        case number if number in _FULL:
            return StorageFull(f"{uri} does not fit ({reason}); free some space on its file system.")
        case number if number in _PASSING:
            return StorageUnavailable(f"{uri} cannot be reached just now ({reason}).")
    return StorageError(f"{uri} cannot be used ({reason}).")
