"""Start child processes. Each child first arranges to end with its parent and ignores Ctrl-C.

A child also closes the pipes that Python leaves open to the fork server and to the resource tracker. Writing to them
could end the fork server, or have the unconfined tracker delete other programs' shared memory.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from collections.abc import Callable
from multiprocessing import forkserver, get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from batchscribe.children.socket_folder import provide_socket_folder

STANDARD_OUTPUTS = (1, 2)


def close_pipes_of_fork_server() -> None:
    """A child starts no process of its own, so it needs neither."""
    for holder, name in (
        (vars(forkserver)["_forkserver"], "_forkserver_alive_fd"),
        (vars(resource_tracker)["_resource_tracker"], "_fd"),
    ):
        descriptor = getattr(holder, name)
        if descriptor is not None:
            os.close(descriptor)
            setattr(holder, name, None)


def open_nowhere() -> int:
    """For `mute`, which a confined process could not open any more."""
    return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)


def mute(nowhere: int) -> None:
    """What is written from now on to standard output and standard error, where the parent's log goes, is dropped."""
    for descriptor in STANDARD_OUTPUTS:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


#: Between the tries to start a child whose fork server has just died. The next one is started as soon as the system
#: has quite done with it, which takes a moment: until then it takes no connection, or hangs up.
START_PAUSES_SEC = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def start_piped(
    target: Callable[..., None], *arguments: Any, name: str, preload: str | None = None
) -> tuple[BaseProcess, Connection]:
    """The process, and our end of a pipe; `target` is called with the other end and these arguments.

    The fork server imports the module `preload` when it starts, so that its children have it. Raises `OSError` when
    the system has no room for another process or pipe, or no folder for a socket.
    """
    context = get_context("forkserver")
    if preload is not None:
        context.set_forkserver_preload([preload])
    try:
        ours, childs_end = context.Pipe()
        with childs_end:
            process = context.Process(target=target, args=(childs_end, *arguments), name=name, daemon=True)
            _start_or_close(process, ours)
    except MemoryError as error:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)) from error
    return process, ours


def reason_of(error: OSError) -> str:
    """In the words of the system."""
    return error.strerror or str(error) or type(error).__name__


def _start_or_close(process: BaseProcess, ours: Connection) -> None:
    try:
        start_child(process)
    except (OSError, MemoryError):
        ours.close()
        raise


def start_child(process: BaseProcess) -> None:
    """Try until a fork server lives long enough. Raises `OSError` when the system has no room for another process."""
    provide_socket_folder()
    for pause_sec in START_PAUSES_SEC:
        try:
            process.start()
        except (EOFError, ConnectionError):
            time.sleep(pause_sec)
        else:
            return
    try:
        process.start()
    except EOFError as error:
        raise ConnectionAbortedError(errno.ECONNABORTED, "the fork server dies again and again") from error


def begin_child() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    close_pipes_of_fork_server()
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
