"""How a process that works or serves ends: as it was asked to, and in any case."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

END_SEC = 15.0  #: of a service, after the grace time; then it ends anyhow: work on record bears that
EXIT_MUST_END = 1
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Ending:
    """The signal that asked for the end, once there was one."""

    def __init__(self, within_sec: float) -> None:
        self.status: int | None = None  #: what a shell shows of a process that ended by the signal
        self._within_sec = within_sec

    @property
    def asked(self) -> bool:
        return self.status is not None

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Leave a mark and a deadline. No `threading.Event`: a handler that sets one can lock up with its wait."""
        if self.status is not None:  # the second time the user means it
            os._exit(128 + number)
        self.status = 128 + number
        end = threading.Timer(self._within_sec, os._exit, [self.status])
        end.daemon = True
        end.start()


@contextmanager
def ending(within_sec: float) -> Iterator[Ending]:
    """Takes SIGTERM and Ctrl-C for as long as it lasts; `within_sec` later the process has ended."""
    end = Ending(within_sec)
    before = {number: signal.signal(number, end.note) for number in SIGNALS}
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
