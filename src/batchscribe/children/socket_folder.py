"""The folder of the fork server's socket. By default, Python creates it below TMPDIR.

A socket path has at most 107 bytes, so a TMPDIR of 76 characters is too long. An abstract socket needs no folder, but
any user of the machine could connect to it and run code as this user.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from multiprocessing import current_process
from multiprocessing.util import Finalize
from pathlib import Path
from threading import Lock

#: Of the parent folder: sun_path of unix(7) without its final zero.
MOST_BYTES = 107 - len("/pymp-12345678/listener-12345678")
#: Folders that are usually writable, if TMPDIR is too long or not writable.
USUAL = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108 - only this user can access the created folder
_KEY = "tempdir"  #: the key of the folder that `multiprocessing.util.get_temp_dir` uses if it is set
_lock = Lock()


def provide_socket_folder() -> None:
    """Create the folder if it does not exist. Raises `OSError` if no usable place exists."""
    with _lock:
        known = _configuration().get(_KEY)
        if known is None or not Path(known).is_dir():  # a cleanup of /tmp may have deleted it
            _configuration()[_KEY] = _make()


def _make() -> str:
    for place in _places():
        try:
            folder = tempfile.mkdtemp(prefix="pymp-", dir=place)
        except OSError:
            continue
        Finalize(None, shutil.rmtree, args=(folder,), kwargs={"ignore_errors": True}, exitpriority=-100)
        return folder
    raise OSError(
        errno.ENOENT,
        "there is no usable folder for temporary files: set TMPDIR to one whose path has at most 75 characters",
    )


def _places() -> Iterator[str]:
    for place in (os.environ.get("TMPDIR"), os.environ.get("XDG_RUNTIME_DIR"), *USUAL):
        if place and len(os.fsencode(place)) <= MOST_BYTES:
            yield place


def _configuration() -> dict[str, str]:
    """Return the internal configuration of `multiprocessing`. No public API sets the folder of sockets."""
    configuration: dict[str, str] = vars(current_process())["_config"]
    return configuration
