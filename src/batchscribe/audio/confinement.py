"""What a decoder's process gives up before it touches a stranger's media: it may compute, and talk to its parent."""

from __future__ import annotations

import ctypes
import os
import resource
import tempfile
import time

from batchscribe.children.start import begin_child

_MAX_OPEN_FILES = 64
_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000  #: linux/sched.h


def confine(memory_bytes: int) -> None:
    """For good, and before the first byte of media."""
    begin_child()
    _forget_environment()
    _cut_network()
    _leave_for_empty_folder()
    for limit, value in {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: _MAX_OPEN_FILES,
    }.items():
        resource.setrlimit(limit, (value, value))


class CpuAllowance:
    """So many CPU seconds from the last `renew` on, then the kernel ends the process.

    A demuxer that runs in circles reads on and so looks alive to the parent's watchdog.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._renew_at = 0.0

    def renew(self) -> None:
        """At most once a second: this is called for every block of sound, and the two system calls add up."""
        if time.monotonic() < self._renew_at:
            return
        self._renew_at = time.monotonic() + 1.0
        usage = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(usage.ru_utime + usage.ru_stime + self._seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _forget_environment() -> None:
    """No credentials: neither in the variables nor in the block of memory that the process started with."""
    os.environ.clear()
    with open("/proc/self/stat", encoding="ascii", errors="replace") as stat:  # noqa: PTH123
        fields = stat.read().rpartition(")")[2].split()
    start, end = int(fields[47]), int(fields[48])  # env_start and env_end, fields 50 and 51 of proc(5)
    if start:
        ctypes.memset(start, 0, end - start)


def _cut_network() -> None:
    """A network namespace of its own, with nothing in it; best effort, since some systems forbid it."""
    ctypes.CDLL(None).unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _leave_for_empty_folder() -> None:
    folder = tempfile.mkdtemp(prefix="batchscribe-")
    os.chdir(folder)
    os.rmdir(folder)  # noqa: PTH106  # the process stays in it: an empty folder that nobody can fill
