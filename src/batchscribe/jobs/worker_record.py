"""Records of the worker processes that share a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from batchscribe.audio.decoder_process import DECODER
from batchscribe.speakers.speaker_process import SPEAKERS
from batchscribe.speech.capability import Capability

RETRIES_JOBS = "retry"  #: what engines publish in `options` if their worker can retry jobs


class WorkerState(StrEnum):
    WORKING = "WORKING"
    DRAINING = "DRAINING"  #: it starts no new tasks and will end


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """One worker process. Times are Unix seconds by the database's clock."""

    worker_id: str  #: unique; its name in the queue
    name: str  #: for people; not necessarily unique
    host: str
    pid: int
    version: str  #: of batchscribe
    home: str | None  #: host and path of the data directory that it uses exclusively
    lanes: tuple[str, ...]
    slots: int  #: recordings that it processes at once
    engines: tuple[Capability, ...]
    state: WorkerState = WorkerState.WORKING
    #: The reason for each unfit part: `decoder`, `speakers`, an engine or the key of a model.
    troubles: Mapping[str, str] = field(default_factory=dict)
    started_at: float = 0.0
    seen_at: float = 0.0

    @property
    def fit_engines(self) -> tuple[Capability, ...]:
        """The engines for which it can take recordings now."""
        if DECODER in self.troubles:
            return ()
        fit = (engine for engine in self.engines if not {engine.name, engine.key} & self.troubles.keys())
        if SPEAKERS in self.troubles:
            return tuple(replace(engine, has_speakers=False) for engine in fit)
        return tuple(fit)

    def can_read(self, option: str) -> bool:
        """Return whether it can read jobs with this option of `ADDED_OPTIONS`, or can do `RETRIES_JOBS`. It may get
        any job, to list its files.

        Each engine says so, because the record itself has no such field, and older releases must be able to read it.
        """
        return any(option in engine.options for engine in self.engines)

    @property
    def is_unfit(self) -> bool:
        """Whether it can take no recordings until the problems of its machine are solved."""
        return bool(self.troubles) and not self.fit_engines
