"""A thread without which a process only seems to work: when it ends before its time, that is told."""

from __future__ import annotations

import threading
from collections.abc import Callable

Died = Callable[[str], None]  #: is told the name of the thread


def vital_thread(
    target: Callable[[], None], *, name: str, died: Died, is_stopping: Callable[[], bool]
) -> threading.Thread:
    """Not yet started. An error that nobody expected goes on to standard error as from any thread."""

    def run() -> None:
        try:
            target()
        finally:
            if not is_stopping():
                died(name)

    return threading.Thread(target=run, name=name, daemon=True)
