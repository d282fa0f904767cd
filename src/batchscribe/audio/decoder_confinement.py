"""What a decoder's process gives up before it touches a stranger's media: it may compute, and talk to its parent."""

from __future__ import annotations

import os
import resource
import tempfile
import time

from batchscribe.children.layers import ALL_LAYERS, NOTHING, Layer, take_on
from batchscribe.children.privileges import forget_environment
from batchscribe.children.start import begin_child, mute, open_nowhere

_MAX_OPEN_FILES = 64


def confine(memory_bytes: int, layers: frozenset[Layer] = ALL_LAYERS) -> None:
    """For good, and before the first byte of media. Whatever has to be read from a file must have been read."""
    begin_child()
    forget_environment()
    mute(open_nowhere())  # hostile media would write lines of its own into the log
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
    """For good. Where the system allows less, `ulimit -v` say, that is what holds."""
    hard = resource.getrlimit(limit)[1]
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (allowed, allowed))


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
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _leave_for_empty_folder() -> None:
    """Where there is none to be had, on a full disk say, the root will do: no name that a file gives is opened."""
    try:
        folder = tempfile.mkdtemp(prefix="batchscribe-")
    except OSError:
        os.chdir("/")
        return
    os.chdir(folder)
    os.rmdir(folder)  # noqa: PTH106  # the process stays in it: an empty folder that nobody can fill
