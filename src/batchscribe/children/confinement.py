"""Confinement of a process that gets untrusted media: it may only compute and talk to its parent."""

from __future__ import annotations

import os
import resource
import tempfile

from batchscribe.children.layers import ALL_LAYERS, NOTHING, Layer, take_on
from batchscribe.children.privileges import forget_environment
from batchscribe.children.start import mute, open_nowhere

_MAX_OPEN_FILES = 64


def confine(memory_bytes: int, layers: frozenset[Layer] = ALL_LAYERS) -> None:
    """Confine the process permanently, before the first byte of media, and after `begin_child`.

    All needed files must have been read before.
    """
    forget_environment()
    mute(open_nowhere())  # otherwise hostile media could write its own lines to the log
    _leave_for_empty_folder()
    for limit, value in {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: _MAX_OPEN_FILES,
    }.items():
        _limit(limit, value)
    take_on(NOTHING, layers)


def _limit(limit: int, value: int) -> None:
    """Set a limit permanently. A lower limit of the system applies instead, for example from `ulimit -v`."""
    hard = resource.getrlimit(limit)[1]
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (allowed, allowed))


def _leave_for_empty_folder() -> None:
    """Change to an empty folder, or to the root if none can be created, for example on a full disk.

    The root is acceptable because no path from a recording is opened.
    """
    try:
        folder = tempfile.mkdtemp(prefix="batchscribe-")
    except OSError:
        os.chdir("/")
        return
    os.chdir(folder)
    os.rmdir(folder)  # noqa: PTH106  # the process stays in the deleted folder, where no file can be created
