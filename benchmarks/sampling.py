"""Calls a function again and again in a thread, to measure something while a block runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def sampled(look: Callable[[], None], interval_sec: float) -> Iterator[None]:
    """Call `look` at this interval while the block runs, and once at its end."""
    over = threading.Event()

    def sample() -> None:
        while not over.wait(interval_sec):
            look()
        look()

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield
    finally:
        over.set()
        sampler.join()
