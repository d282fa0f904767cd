"""A thread that its process cannot work without: it reports its own unexpected end."""

from __future__ import annotations

import threading
from collections.abc import Callable

Died = Callable[[str], None]  #: gets the name of the thread


def vital_thread(
    target: Callable[[], None], *, name: str, died: Died, is_stopping: Callable[[], bool]
) -> threading.Thread:
    """Create a thread, not yet started. An unexpected error is also printed to standard error, as for any thread."""

    def run() -> None:
        try:
            target()
        finally:
            if not is_stopping():
                died(name)

    return threading.Thread(target=run, name=name, daemon=True)
