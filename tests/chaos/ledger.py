"""The ledger: an append-only file, outside any database, in which processes record what happens to them."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `at` is in Unix seconds, `pid` is the process that recorded it."""

    at: float
    pid: int
    kind: str
    facts: dict[str, Any]


class Ledger:
    """A ledger for processes and threads. Each entry is a single append, which survives the death of its writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, kind: str, **facts: Any) -> None:
        line = json.dumps({"at": time.time(), "pid": os.getpid(), "kind": kind} | facts)
        os.write(self._file, f"{line}\n".encode())

    def entries(self, *kinds: str) -> list[Entry]:
        """Return entries in order of time; of all kinds if none is named."""
        written, _, _unfinished = self.path.read_text().rpartition("\n")  # a line may be in the middle of its append
        found = [_entry(line) for line in written.splitlines()]
        return sorted((entry for entry in found if not kinds or entry.kind in kinds), key=lambda entry: entry.at)


def _entry(line: str) -> Entry:
    facts: dict[str, Any] = json.loads(line)
    return Entry(facts.pop("at"), facts.pop("pid"), facts.pop("kind"), facts)
