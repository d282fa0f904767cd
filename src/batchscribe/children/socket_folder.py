"""The folder in which the fork server listens. Python would make it below TMPDIR, wherever that is.

A path of more than 107 bytes is none for a socket, and below a TMPDIR of 76 characters it gets as long. An abstract
socket needs no folder, but any user of the machine could connect to it and have code of theirs run as this one.
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

MOST_BYTES = 107 - len("/pymp-12345678/listener-12345678")  #: of the folder above; sun_path of unix(7) less its zero
#: Where a user may usually write, when TMPDIR is too long or cannot be written to.
USUAL = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108 - the folder made there is open to this user alone
_KEY = "tempdir"  #: under which `multiprocessing.util.get_temp_dir` looks for a folder before it makes one
_lock = Lock()


def provide_socket_folder() -> None:
    """Raises `OSError` when there is no place for one."""
    with _lock:
        known = _configuration().get(_KEY)
        if known is None or not Path(known).is_dir():  # whoever clears up /tmp may have taken it away
            _configuration()[_KEY] = _made()


def _made() -> str:
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
    """Of this process as `multiprocessing` keeps it. Nothing public says where sockets are made."""
    configuration: dict[str, str] = vars(current_process())["_config"]
    return configuration
