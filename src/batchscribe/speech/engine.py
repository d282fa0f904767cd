"""What a speech engine is, and what a process needs to know to build one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from batchscribe.speech.languages import understands
from batchscribe.window import Recognition, Window

#: An engine counts as hung when it uses this many times the CPU that was expected.
PATIENCE = 10.0
#: Seconds. Whisper was trained on windows of this length, and none is longer.
WINDOW_SEC = 30.0


class Detection(Enum):
    """What an engine does about the language of a window."""

    OFF = "off"
    REPORT = "report"  #: transcribe in the language asked for, and say which ones are the likeliest
    CHOOSE = "choose"  #: transcribe in the likeliest one, unless the language asked for is nearly as likely


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A window to transcribe. `language` is a canonical tag, as `canonical_language` returns it."""

    window: Window
    language: str
    detection: Detection = Detection.OFF


class Engine(Protocol):
    """A loaded model. One thread at a time may call it."""

    def transcribe(self, requests: Sequence[Request]) -> list[Recognition]:
        """One `Recognition` for each request, in their order. Takes at most `EngineSpec.batch_size` requests.

        The same request gives the same `Recognition` whatever was heard before it or with it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec(ABC):
    """Names an engine and its model. It is hashable and travels by pickle to the process that builds the engine."""

    name: str  #: of the engine: `pocketsphinx`, `whisper`, `scripted`
    model: str  #: as shown to users and written into transcripts
    revision: str | None = None  #: of the model, where it is known
    languages: tuple[str, ...]  #: BCP-47; an entry without region stands for all its regions
    detects_languages: bool = False  #: whether it can tell which of its languages it hears
    speed: float  #: audio seconds per CPU second; an estimate, for cutting shards and for time limits
    device: str = "cpu"  #: `cpu` or `cuda`
    most_processes: int | None = None  #: more of them would not fit (one for a GPU); None: no such limit
    #: Seconds of audio that a window is filled up to, pauses included. 0: each stretch of speech is a window.
    window_sec: float = 0.0
    batch_size: int = 1  #: most windows that one call takes

    @abstractmethod
    def build(self) -> Engine:
        """Load the model. Raises `EngineNotAvailable`, or whatever the engine's library raises."""

    def reads(self) -> tuple[Path, ...]:
        """The files and folders that it reads, besides Python's and the system's: all that its process may open."""
        return ()

    def writes(self) -> tuple[Path, ...]:
        """The folders in which it writes; an engine has no need to."""
        return ()

    def understands(self, language: str) -> bool:
        """`language` is canonical, as `canonical_language` returns it."""
        return understands(self.languages, language)

    def limit_cpu_sec(self, windows: int) -> float:
        """CPU seconds after which a call with so many windows counts as hung."""
        return PATIENCE * windows * WINDOW_SEC / self.speed
