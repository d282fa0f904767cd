"""The worker processes that share a database, as each of them tells the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from batchscribe.audio.process import DECODER
from batchscribe.speech.capability import Capability


class WorkerState(StrEnum):
    WORKING = "WORKING"
    DRAINING = "DRAINING"  #: it begins nothing new and will end


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """One worker process. Times are Unix seconds by the database's clock."""

    worker_id: str  #: unique; what the durable engine knows it by
    name: str  #: what people call it; several may share one
    host: str
    pid: int
    version: str  #: of batchscribe
    home: str | None  #: the data directory that it has for itself, with its host
    lanes: tuple[str, ...]
    slots: int  #: recordings it works on at once
    engines: tuple[Capability, ...]
    state: WorkerState = WorkerState.WORKING
    troubles: Mapping[str, str] = field(default_factory=dict)  #: what it cannot do now: `decoder` or an engine, and why
    started_at: float = 0.0
    seen_at: float = 0.0

    @property
    def fit_engines(self) -> tuple[Capability, ...]:
        """Those that it can take recordings for now."""
        if DECODER in self.troubles:
            return ()
        return tuple(engine for engine in self.engines if engine.name not in self.troubles)

    @property
    def is_unfit(self) -> bool:
        """Whether it can take no recordings at all until its machine is well again."""
        return bool(self.troubles) and not self.fit_engines
