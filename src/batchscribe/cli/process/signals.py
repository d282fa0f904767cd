"""The end of a process after SIGTERM or Ctrl-C: cleanly within a time limit, else at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

END_SEC = 15.0  #: for a service after the grace time; then it exits in any case, without harm to stored jobs
EXIT_MUST_END = 1
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class EndRequest:
    """The signal to end, if it has arrived."""

    def __init__(self, within_sec: float) -> None:
        self.status: int | None = None  #: the exit status that shells use for the signal
        self._within_sec = within_sec
        self._came_at = 0.0

    def left_sec(self, of_sec: float) -> float:
        """Return what is left of `of_sec` seconds since the signal, or all of them before a signal."""
        return max(0.0, of_sec - (time.monotonic() - self._came_at)) if self.has_come else of_sec

    @property
    def has_come(self) -> bool:
        return self.status is not None

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Record the signal and set a deadline. A handler that sets a `threading.Event` can deadlock with `wait`."""
        if self.status is not None:  # the second signal
            os._exit(128 + number)
        self.status, self._came_at = 128 + number, time.monotonic()
        end = threading.Timer(self._within_sec, os._exit, [self.status])
        end.daemon = True
        end.start()


@contextmanager
def handle_signals(within_sec: float) -> Iterator[EndRequest]:
    """Handle SIGTERM and Ctrl-C in this block. The process exits at most `within_sec` after the signal."""
    end = EndRequest(within_sec)
    before = {number: signal.signal(number, end.note) for number in SIGNALS}
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
