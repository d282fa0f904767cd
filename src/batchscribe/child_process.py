"""What every child process of ours does first: it dies with its parent, and leaves Ctrl-C to it."""

from __future__ import annotations

import fcntl
import os
import signal
from multiprocessing import parent_process

#: What `Process.start` raises: the system has no room for another process, or the fork server dies just then.
START_ERRORS = (OSError, EOFError)


def why_not_started(error: OSError | EOFError) -> str:
    """In words."""
    return str(error.strerror) if isinstance(error, OSError) else "the fork server died"


def begin_child() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()


def end_with_parent() -> None:
    """Have the kernel end this process when the parent is gone, even in the middle of a long call.

    PR_SET_PDEATHSIG would not do: our parent in the kernel's eyes is the fork server, which lives on as long as
    one of its children does. The sentinel is a pipe that only the real parent holds open, and SIGIO ends a process.
    """
    parent = parent_process()
    if parent is None:
        return
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    sentinel = parent.sentinel
    fcntl.fcntl(sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)
