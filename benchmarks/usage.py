"""What the processes of a command use, by their kind: CPU time, and memory in which shared pages count once (PSS)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import psutil

from benchmarks.sampling import sampled

#: For the peaks of memory. CPU time alone needs fewer looks, whose own cost counts where a process measures itself.
SAMPLE_SEC, CPU_SAMPLE_SEC = 0.2, 1.0
PARENT, DECODER, ENGINE, OTHER = "parent", "decoder", "engine", "other"
#: Others are the fork server and Python's resource tracker.
KINDS = (PARENT, DECODER, ENGINE, OTHER)


@dataclass(slots=True)
class Usage:
    """Grows while the processes run. The end of a process may be missing, up to a sample's time."""

    peak_bytes: int = 0  #: of all processes together
    peaks: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))  #: by kind, each at its own moment
    has_memory: bool = True
    _cpu: dict[int, tuple[str, float]] = field(default_factory=dict)  #: kind and CPU seconds, by process ID
    _before: dict[int, tuple[str, float]] = field(default_factory=dict)  #: the same when the measurement began

    def begin(self, root: int) -> None:
        """Begin the measurement: what the processes have used before does not count."""
        self.look(root)
        self._before = dict(self._cpu)
        self.peak_bytes, self.peaks = 0, dict.fromkeys(KINDS, 0)

    def cpu_sec(self, *kinds: str) -> float:
        """CPU seconds of these kinds of processes; of all if none are named."""
        used = {pid: (kind, sec - self._before.get(pid, (kind, 0.0))[1]) for pid, (kind, sec) in self._cpu.items()}
        return sum(sec for kind, sec in used.values() if kind in (kinds or KINDS))

    def look(self, root: int) -> None:
        """Add what the process `root` and its descendants use at this moment."""
        found = dict.fromkeys(KINDS, 0)
        for process in _family(root):
            try:
                kind = PARENT if process.pid == root else kind_of(process.name())
                times = process.cpu_times()
                self._cpu[process.pid] = (kind, times.user + times.system)
                found[kind] += process.memory_full_info().pss if self.has_memory else 0
            except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has ended
                continue
        self.peak_bytes = max(self.peak_bytes, sum(found.values()))
        self.peaks = {kind: max(peak, found[kind]) for kind, peak in self.peaks.items()}


def kind_of(name: str) -> str:
    """Return the kind of a child process by its name in the process list."""
    return next((kind for kind in (DECODER, ENGINE) if name.startswith(kind)), OTHER)


@contextmanager
def metered(root: int, *, has_memory: bool = True) -> Iterator[Usage]:
    """Measure a process and its descendants in the block; without memory, at a lower cost."""
    usage = Usage(has_memory=has_memory)
    usage.begin(root)
    with sampled(partial(usage.look, root), SAMPLE_SEC if has_memory else CPU_SAMPLE_SEC):
        yield usage


def _family(root: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(root)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
