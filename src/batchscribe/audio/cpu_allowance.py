"""A limit on the CPU time of a decoder, set by the kernel."""

from __future__ import annotations

import resource
import time


class CpuAllowance:
    """The CPU seconds allowed after each `renew`; then the kernel ends the process.

    A demuxer in an endless loop continues to read, so it looks alive to the parent's watchdog.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._renew_at = 0.0

    def renew(self) -> None:
        """Renew at most once a second. This is called for every block of sound, and the two system calls add up."""
        if time.monotonic() < self._renew_at:
            return
        self._renew_at = time.monotonic() + 1.0
        usage = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(usage.ru_utime + usage.ru_stime + self._seconds) + 1
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
