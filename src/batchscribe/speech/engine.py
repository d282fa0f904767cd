"""What a speech engine is, and what a process needs to know to build one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from batchscribe.segment import Hearing, Segment
from batchscribe.speech.languages import understands

#: An engine may be ten times slower than expected before it counts as hung.
PATIENCE = 10.0
#: Seconds. A segment is at most this long, and Whisper works as long on a shorter one.
WINDOW_SEC = 30.0


class Engine(Protocol):
    """A loaded model. One thread at a time may call it."""

    @property
    def batch_size(self) -> int:
        """Most segments that one call takes."""

    @property
    def batch_sec(self) -> float:
        """Most seconds of audio that one call takes, unless a single segment is longer."""

    def transcribe(self, segments: Sequence[Segment], language: str) -> list[Hearing]:
        """One `Hearing` for each segment, in their order; word times count from the start of the segment.

        The same segment gives the same `Hearing` whatever was heard before it or with it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec(ABC):
    """Names an engine and its model. It is hashable and travels by pickle to the process that builds the engine."""

    name: str  #: of the engine: `pocketsphinx`, `whisper`, `scripted`
    model: str  #: as shown to users and written into transcripts
    revision: str | None = None  #: of the model, where it is known
    languages: tuple[str, ...]  #: BCP-47; an entry without region stands for all its regions
    speed: float  #: audio seconds per second of one process; an estimate, for cutting shards and for time limits
    device: str = "cpu"  #: `cpu` or `cuda`
    most_processes: int | None = None  #: more of them would not fit (one for a GPU); None: no such limit

    @abstractmethod
    def build(self) -> Engine:
        """Load the model. Raises `EngineNotAvailable`, or whatever the engine's library raises."""

    def understands(self, language: str) -> bool:
        """`language` is canonical, as `canonical_language` returns it."""
        return understands(self.languages, language)

    def limit_sec(self, segments: Sequence[Segment]) -> float:
        """Wall seconds after which a call with these segments counts as hung."""
        work_sec = sum(max(segment.duration_sec, WINDOW_SEC) for segment in segments)
        return PATIENCE * work_sec / self.speed
