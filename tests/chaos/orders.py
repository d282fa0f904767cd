"""Orders to die at a step of the flow: files that the first process to reach the step removes and obeys."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from tests.chaos.ledger import Ledger

#: One thread obeys at a time, so that no other kill comes between removing the order and recording it.
_OBEYING = threading.Lock()


class Orders:
    """A folder shared by the harness and all processes under test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def give(self, step: str) -> None:
        self._file(step).touch()

    def withdraw(self, step: str) -> bool:
        """Withdraw an order. Return True if no process had taken it."""
        try:
            self._file(step).unlink()
        except FileNotFoundError:
            return False
        return True

    def open(self) -> list[str]:
        """The steps whose orders no process has taken."""
        return sorted(path.name for path in self.folder.iterdir())

    def obey(self, step: str, ledger: Ledger) -> None:
        """Kill this process with SIGKILL if there is an order for this step."""
        with _OBEYING:
            if self.withdraw(step):
                ledger.note("kill", victim="step", step=step, target=os.getpid())
                os.kill(os.getpid(), signal.SIGKILL)

    def _file(self, step: str) -> Path:
        return self.folder / step
