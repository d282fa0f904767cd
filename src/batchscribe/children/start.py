"""The start of child processes. Each child ends with its parent and ignores Ctrl-C.

A child also closes the pipes that Python leaves open to the fork server and to the resource tracker. By writing
to them, it could end the fork server or make the unconfined tracker delete the shared memory of other programs.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import current_process, forkserver, get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from batchscribe.children.child import Child
from batchscribe.children.socket_folder import provide_socket_folder

STANDARD_OUTPUTS = (1, 2)
#: Where Linux keeps the name of a process, of up to 15 bytes.
NAME_FILE = Path("/proc/self/comm")


def close_pipes_of_fork_server() -> None:
    """Close the pipes to the fork server and the resource tracker. A child needs neither: it starts no processes."""
    for holder, name in (
        (vars(forkserver)["_forkserver"], "_forkserver_alive_fd"),
        (vars(resource_tracker)["_resource_tracker"], "_fd"),
    ):
        descriptor = getattr(holder, name)
        if descriptor is not None:
            os.close(descriptor)
            setattr(holder, name, None)


def open_nowhere() -> int:
    """Open /dev/null for `mute`. A confined process could not open it later."""
    return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)


def mute(nowhere: int) -> None:
    """Discard further output to standard output and standard error, which the parent's log uses."""
    for descriptor in STANDARD_OUTPUTS:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


#: Pauses between attempts to start a child after the fork server died. A new fork server starts when the system has
#: removed the old one. Until then, connections fail or are closed.
START_PAUSES_SEC = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def start_piped(
    target: Callable[..., None], *arguments: Any, name: str, preload: str | None = None
) -> tuple[Child, Connection]:
    """Start a process. Returns it and the parent's end of a pipe. `target` gets the other end and `arguments`.

    The fork server imports the module `preload` when it starts, so its children have it loaded. Raises `OSError` if
    the system cannot create another process or pipe, or has no folder for a socket.
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
    return Child(process), ours


def reason_of(error: OSError) -> str:
    """Return the system's description of the error."""
    return error.strerror or str(error) or type(error).__name__


def _start_or_close(process: BaseProcess, ours: Connection) -> None:
    try:
        start_child(process)
    except (OSError, MemoryError):
        ours.close()
        raise


def start_child(process: BaseProcess) -> None:
    """Start the process; retry if the fork server dies. Raises `OSError` if the system cannot start another process."""
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
        raise ConnectionAbortedError(errno.ECONNABORTED, "the fork server keeps dying") from error


def begin_child() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(OSError):  # some sandboxes do not have the file
        NAME_FILE.write_text(current_process().name)  # for `top` and `ps`: `decoder`, `engine-whisper`
    close_pipes_of_fork_server()
    end_with_parent()


def end_with_parent() -> None:
    """Make the kernel end this process when the parent ends, even during a long call.

    PR_SET_PDEATHSIG does not work: for the kernel, the parent is the fork server, which lives as long as any of its
    children. The sentinel is a pipe that only the real parent holds open. When it closes, SIGIO ends this process.
    """
    parent = parent_process()
    if parent is None:
        return
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    sentinel = parent.sentinel
    fcntl.fcntl(sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)
