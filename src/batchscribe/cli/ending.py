"""How a process that works or serves ends: as it was asked to, and in any case."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from batchscribe.settings import Settings

END_SEC = 15.0  #: after the grace time; then the process ends anyhow: work on record bears that
EXIT_OUTDATED = 1
OUTDATED = "The database was migrated by another release: this process ends; start it anew."
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Ending:
    """The signal that asked for the end, once there was one."""

    def __init__(self, grace_sec: float) -> None:
        self.asked = False
        self._grace_sec = grace_sec

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Leave a mark and a deadline; the second signal ends it all. No `threading.Event`: see `Interruption`."""
        if self.asked:
            os._exit(128 + number)
        self.asked = True
        end = threading.Timer(self._grace_sec + END_SEC, os._exit, [1])
        end.daemon = True
        end.start()


@contextmanager
def ending(settings: Settings) -> Iterator[Ending]:
    """Takes SIGTERM and Ctrl-C for as long as it lasts."""
    end = Ending(settings.grace_sec)
    before = {number: signal.signal(number, end.note) for number in SIGNALS}
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
