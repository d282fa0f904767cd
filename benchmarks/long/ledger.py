"""What `benchmarks.long.command` has written down: the calls of engines and their windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

Passage = tuple[int, float, float]  #: of a recording: channel, start and length in seconds


@dataclass(frozen=True, slots=True)
class Entry:
    """The begin of a call, with its windows, or its end. `at_sec` is on the machine's monotonic clock."""

    at_sec: float
    call: int
    passages: list[Passage] | None


ENTRY = TypeAdapter(Entry)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one process. It may be read while it is written, and after the process was killed."""

    path: Path

    def begun(self) -> set[Passage]:
        """Return the windows that were given to an engine."""
        return {passage for entry in self._entries() for passage in entry.passages or ()}

    def count_calls(self) -> int:
        """Return the number of calls that have begun, without those of trials."""
        return sum(bool(entry.passages) for entry in self._entries())

    def ended(self) -> set[Passage]:
        """Return the windows whose call has ended."""
        entries = list(self._entries())
        over = {entry.call for entry in entries if entry.passages is None}
        return {passage for entry in entries if entry.call in over for passage in entry.passages or ()}

    def _entries(self) -> Iterator[Entry]:
        if self.path.exists():
            *lines, _unfinished = self.path.read_bytes().split(b"\n")
            yield from map(ENTRY.validate_json, lines)


def total_sec(passages: set[Passage]) -> float:
    return sum(duration_sec for _, _, duration_sec in passages)
