"""Orders to die at a step of the flow: files, which the first process that passes the step takes away and obeys."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from tests.chaos.ledger import Ledger

#: One thread obeys at a time: another's kill must not come between the order that it takes and the note of it.
_OBEYING = threading.Lock()


class Orders:
    """A folder that the harness and all processes under test share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def give(self, step: str) -> None:
        self._file(step).touch()

    def withdraw(self, step: str) -> bool:
        """True when nobody had taken it."""
        try:
            self._file(step).unlink()
        except FileNotFoundError:
            return False
        return True

    def open(self) -> list[str]:
        """The steps that nobody has passed since their order was given."""
        return sorted(path.name for path in self.folder.iterdir())

    def obey(self, step: str, ledger: Ledger) -> None:
        """The end of this process, if there is an order for this step: as sudden as by any SIGKILL."""
        with _OBEYING:
            if self.withdraw(step):
                ledger.note("kill", victim="step", step=step, target=os.getpid())
                os.kill(os.getpid(), signal.SIGKILL)

    def _file(self, step: str) -> Path:
        return self.folder / step
