"""Operating system errors that mean that the machine has run out of a resource."""

from __future__ import annotations

import errno
import os

from batchscribe.audio.decoder import DECODER
from batchscribe.errors import MachineTrouble

#: Memory, threads and processes, descriptors of this process and of the system, disk space and quota.
SCARCE = frozenset({errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT})
NO_THREAD = "can't start new thread"  #: Python's message if the system refuses one


def shortage_in(error: BaseException | None) -> MachineTrouble | None:
    """Return the trouble behind an error; None if it is not a shortage. The decoder's trial decides when it is over."""
    if isinstance(error, MemoryError):
        return _trouble(os.strerror(errno.ENOMEM))
    if isinstance(error, OSError) and error.errno in SCARCE:
        return _trouble(os.strerror(error.errno))
    if isinstance(error, RuntimeError) and str(error) == NO_THREAD:
        return _trouble("no thread can be started")
    return None


def _trouble(what: str) -> MachineTrouble:
    return MachineTrouble(
        f"This machine lacks a resource: {what}. Free memory, processes, descriptors or disk; "
        "`ulimit -a` shows the limits.",
        part=DECODER,
    )
