"""The worker processes that share a database, as each of them tells the others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
    started_at: float = 0.0
    seen_at: float = 0.0
