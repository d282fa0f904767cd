"""The open files that a child has from its fork server and its parent, and gives up.

Python leaves every child two pipes: whoever writes into one ends the fork server, and into the other has its resource
tracker, which nothing confines, delete shared memory of other programs.
"""

from __future__ import annotations

import os
from multiprocessing import forkserver, resource_tracker

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
