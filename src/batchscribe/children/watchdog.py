"""Tells a child process that hangs from one that is slow or has to wait for a core."""

from __future__ import annotations

import os
import time
from pathlib import Path

#: How often a parent that waits looks at its child.
LOOK_SEC = 1.0
_TICKS_PER_SEC = os.sysconf("SC_CLK_TCK")


class ChildHangs(Exception):
    """Its message is what the child did instead of answering: the end of a sentence that begins with its name."""


class Watchdog:
    """Watches one child while its parent waits for it.

    The clock proves nothing: a busy machine may give a healthy child no core for minutes. A child hangs when for
    `idle_sec` it uses no CPU, is not ready to run and waits for no disk, or when it uses `cpu_sec` of CPU without an
    answer.
    """

    def __init__(self, pid: int) -> None:
        self._process = Path("/proc", str(pid))
        self.expect(float("inf"), float("inf"))

    def expect(self, idle_sec: float, cpu_sec: float) -> None:
        """Begin to wait for the next answer. Costs nothing until the first look."""
        self._idle_limit_sec = idle_sec
        self._cpu_limit_sec = cpu_sec
        self._idle_sec = 0.0
        self._looked_at = time.monotonic()
        self._first_cpu_sec: float | None = None
        self._last_cpu_sec = 0.0

    def look(self) -> None:
        """Call it every `LOOK_SEC` while waiting. Raises `ChildHangs`."""
        # At most two intervals: this process, too, may have been stopped, together with its child.
        passed_sec = min(time.monotonic() - self._looked_at, 2 * LOOK_SEC)
        self._looked_at = time.monotonic()
        try:
            cpu_sec, is_ready = self._used_cpu_sec(), self._is_ready()
        except OSError:
            return  # it has ended, which the pipe will tell, or this process may open no more files for now
        if self._first_cpu_sec is None:
            self._first_cpu_sec = cpu_sec
        elif cpu_sec > self._last_cpu_sec or is_ready:
            self._idle_sec = 0.0
        else:
            self._idle_sec += passed_sec
        self._last_cpu_sec = cpu_sec
        self._judge(cpu_sec - self._first_cpu_sec)

    def _judge(self, used_sec: float) -> None:
        if self._idle_sec >= self._idle_limit_sec:
            raise ChildHangs(f"used no CPU for {self._idle_limit_sec:g} s")
        if used_sec >= self._cpu_limit_sec:
            raise ChildHangs(f"used {self._cpu_limit_sec:.0f} s of CPU without an answer")

    def _used_cpu_sec(self) -> float:
        """Of all its threads. proc_pid_stat(5), fields 14 and 15."""
        fields = _fields(self._process / "stat")
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SEC

    def _is_ready(self) -> bool:
        """Whether one of its threads would run if there were a core for it, or if its disk answered."""
        return any(_fields(thread / "stat")[0] in "RD" for thread in (self._process / "task").iterdir())


def _fields(stat: Path) -> list[str]:
    """From the third field on; the second is the name of the program, which may hold anything."""
    return stat.read_text(errors="replace").rpartition(")")[2].split()
