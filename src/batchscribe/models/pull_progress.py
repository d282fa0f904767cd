"""Progress reports of a pull."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

LOOK_EVERY_SEC = 0.25


class PullProgress(Protocol):
    def step(self, doing: str, done_bytes: int = 0, total_bytes: int | None = None) -> None:
        """Report the current step, such as `Checking model.bin`, and its progress."""

    def note(self, sentence: str) -> None:
        """Report something that the user should still see afterwards."""


class NoProgress:
    def step(self, doing: str, done_bytes: int = 0, total_bytes: int | None = None) -> None:
        """Ignore the report."""

    def note(self, sentence: str) -> None:
        """Ignore the report."""


@contextmanager
def report_folder_size(folder: Path, watch: PullProgress, doing: str, total_bytes: int | None) -> Iterator[None]:
    """Report the size of the folder as progress while a library fills it."""
    ended = Event()

    def look() -> None:
        while not ended.wait(LOOK_EVERY_SEC):
            watch.step(doing, size_of(folder), total_bytes)

    watch.step(doing, size_of(folder), total_bytes)
    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def size_of(folder: Path) -> int:
    """Return the total size of all files below the folder; files may appear and disappear meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(parent, name).stat().st_size
    return total
