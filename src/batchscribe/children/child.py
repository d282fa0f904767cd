"""The parent's handle of a started child process, with which it kills that process and no other."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

from batchscribe.children.watchdog import read_cpu_sec


class Child:
    """A started child process.

    `Process.kill` sends its signal to a process ID. The fork server removes a child as soon as it ends, and then the
    system may give that ID to any other program, which would be killed. A pidfd (pidfd_open(2)) stays with its process.
    """

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self._pidfd = _open_pidfd(self.pid)

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    @property
    def cpu_sec(self) -> float:
        """The CPU time that it has used; 0 if it has ended."""
        try:
            return read_cpu_sec(Path("/proc", str(self.pid))) if self.is_alive else 0.0
        except OSError:  # it ends right now, or this process has no free descriptors
            return 0.0

    def kill(self) -> None:
        """Send SIGKILL unless the process has ended."""
        if self._pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        elif self.is_alive:
            self._process.kill()

    def end(self) -> None:
        """Kill the process, wait for its end and release its resources."""
        self.kill()
        self._process.join()
        self._process.close()
        if self._pidfd is not None:
            os.close(self._pidfd)


def _open_pidfd(pid: int) -> int | None:
    """Return a pidfd; None if the process has ended, or if the system has none (Linux before 5.3, some sandboxes)."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
