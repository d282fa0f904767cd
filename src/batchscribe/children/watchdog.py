"""Detection of hanging child processes, as opposed to slow ones and those that wait for a core."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

#: The interval at which a waiting parent checks its child.
LOOK_SEC = 1.0
_TICKS_PER_SEC = os.sysconf("SC_CLK_TCK")


class ChildHangs(Exception):
    """A child hangs. The message says what it did instead of answering, as the end of a sentence about the child."""


class ChildNotWanted(Exception):
    """The parent no longer needs the child's answer."""


def always() -> bool:
    return True


class Watchdog:
    """A monitor of one child, used while the parent waits for an answer.

    Elapsed time alone is no evidence: on a busy machine, a healthy child may get no core for minutes. A child hangs if
    for `idle_sec` it uses no CPU, is not ready to run and does not wait for a disk. It also hangs if it uses `cpu_sec`
    of CPU without an answer.
    """

    def __init__(self, pid: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._process = Path("/proc", str(pid))
        self._clock = clock
        self.expect(float("inf"), float("inf"))

    def expect(self, idle_sec: float, cpu_sec: float, is_wanted: Callable[[], bool] = always) -> None:
        """Begin to wait for the next answer. This is cheap: it does not check the child."""
        self._is_wanted = is_wanted
        self._idle_limit_sec = idle_sec
        self._cpu_limit_sec = cpu_sec
        self._idle_sec = 0.0
        self._looked_at = self._clock()
        self._first_cpu_sec: float | None = None
        self._last_cpu_sec = 0.0

    def look_if_due(self) -> None:
        """Check the child if the last check was `LOOK_SEC` ago. Raises `ChildHangs`, `ChildNotWanted`."""
        if self._clock() - self._looked_at >= LOOK_SEC:
            self.look()

    def look(self) -> None:
        """Check the child. Call it every `LOOK_SEC` while waiting. Raises `ChildHangs`, `ChildNotWanted`."""
        if not self._is_wanted():
            raise ChildNotWanted
        # At most two intervals, because this process may have been stopped together with its child.
        passed_sec = min(self._clock() - self._looked_at, 2 * LOOK_SEC)
        self._looked_at = self._clock()
        try:
            cpu_sec, is_ready = read_cpu_sec(self._process), self._is_ready()
        except OSError:
            return  # the child ended, which the pipe will report, or this process has no free descriptors
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

    def _is_ready(self) -> bool:
        """Return whether a thread is ready to run or waits for a disk."""
        return any(_fields(thread / "stat")[0] in "RD" for thread in (self._process / "task").iterdir())


def read_cpu_sec(process: Path) -> float:
    """Return the CPU time of all threads of a process: fields 14 and 15 of proc_pid_stat(5). Raises `OSError`.

    `process` is its folder in `/proc`.
    """
    fields = _fields(process / "stat")
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SEC


def _fields(stat: Path) -> list[str]:
    """Return the fields from the third on. The second, the program name, may contain any characters."""
    return stat.read_text(errors="replace").rpartition(")")[2].split()
