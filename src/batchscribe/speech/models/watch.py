"""Who is told how far a pull is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

LOOK_EVERY_SEC = 0.25


class Watch(Protocol):
    def step(self, doing: str, done_bytes: int = 0, total_bytes: int | None = None) -> None:
        """What is being done now, such as `Checking model.bin`, and how much of it is done."""

    def note(self, sentence: str) -> None:
        """What a person should know also afterwards."""


class Unwatched:
    def step(self, doing: str, done_bytes: int = 0, total_bytes: int | None = None) -> None:
        """Nobody looks."""

    def note(self, sentence: str) -> None:
        """Nobody listens."""


@contextmanager
def watching_folder(folder: Path, watch: Watch, doing: str, total_bytes: int | None) -> Iterator[None]:
    """While a library of others fills the folder, its size says how far that is."""
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
    """Bytes of all files below it; files may come and go meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(parent, name).stat().st_size
    return total
