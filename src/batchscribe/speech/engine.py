"""The protocol of speech engines, and the specification from which a process builds one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

from batchscribe.speech.devices import CUDA, kind_of
from batchscribe.speech.languages import understands
from batchscribe.window import Recognition, Window

#: An engine counts as hung if it uses this many times the expected CPU time.
PATIENCE = 10.0
#: The longest window, in seconds. Whisper was trained on windows of this length.
WINDOW_SEC = 30.0
#: The least `EngineSpec.window_sec`: an end is searched in the last five seconds of a window.
LEAST_WINDOW_SEC = 10.0


class LanguageChoice(Enum):
    """How an engine detects the language of a window."""

    OFF = "off"
    REPORT = "report"  #: transcribe in the requested language, and report the most probable ones
    CHOOSE = "choose"  #: transcribe in the most probable language, unless the requested one is nearly as probable


@dataclass(frozen=True, slots=True, eq=False)
class RecognitionRequest:
    """A window to transcribe. `language` is a tag from `canonical_language`.

    `vocabulary` has phrases that may occur, such as names; it is empty unless the engine takes one.
    """

    window: Window
    language: str
    detection: LanguageChoice = LanguageChoice.OFF
    vocabulary: tuple[str, ...] = ()


class Engine(Protocol):
    """A loaded model. Only one thread at a time may call it."""

    def transcribe(self, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        """Return one `Recognition` per request, in order. Accepts at most `EngineSpec.batch_size` requests.

        The result of a request must not depend on earlier requests or on the others in the batch.
        """


@runtime_checkable
class PreparingEngine(Engine, Protocol):
    """An engine that can prepare a batch in one thread while it transcribes the one before in another."""

    def prepare(self, requests: Sequence[RecognitionRequest]) -> Sequence[Any]:
        """Return the input of `transcribe_prepared`, one object per request, for example features of the sound."""

    def transcribe_prepared(self, prepared: Sequence[Any]) -> list[Recognition]:
        """Do the rest of `transcribe`. Accepts any part of what `prepare` returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec(ABC):
    """The specification of an engine and its model. Hashable; pickled for the process that builds the engine."""

    name: str  #: of the engine, such as `whisper`
    model: str  #: the name in messages and transcripts
    revision: str | None = None  #: of the model, if known
    model_rank: int = 0  #: among the models of the engine; the best one has the smallest
    languages: tuple[str, ...]  #: BCP-47; an entry without region stands for all regions
    detects_languages: bool = False  #: whether it can detect the spoken language
    takes_vocabulary: bool = False  #: whether it uses the phrases of a request
    speed: float  #: audio seconds per CPU second; an estimate, for the size of shards and for time limits
    device: str = "cpu"  #: `cpu`, `cuda`, or the GPU of one process, such as `cuda:1`
    devices: tuple[str, ...] = ()  #: the GPUs, such as `cuda:0`; each has one process
    most_processes: int | None = None  #: the most that fit (one for each GPU); None: no limit
    #: Windows are filled up to this many seconds of audio, pauses included, and none is longer. 0: each stretch of
    #: speech is a window, of up to `WINDOW_SEC`.
    window_sec: float = 0.0
    batch_size: int = 1  #: the most windows in one call
    #: Whether a process gets its next batch, if it is full, while it works on one: for GPUs, where that costs no core.
    reads_ahead: bool = False

    @abstractmethod
    def build(self) -> Engine:
        """Load the model. Raises `EngineNotAvailable` and the errors of the engine's library."""

    @property
    def is_on_gpu(self) -> bool:
        return kind_of(self.device) == CUDA

    @property
    def longest_sec(self) -> float:
        """The longest window that it gets, in seconds."""
        return self.window_sec or WINDOW_SEC

    def count_processes(self, wanted: int) -> int:
        """Return the number of processes if the settings ask for `wanted`: on GPUs, always one for each."""
        return len(self.devices) or min(wanted, self.most_processes or wanted)

    def on(self, device: str) -> Self:
        """Return the specification of the process on this device, one of `devices`."""
        return replace(self, device=device, devices=())

    def reads(self) -> tuple[Path, ...]:
        """Return the files and folders that it reads. Its process can open only these, Python's and the system's."""
        return ()

    def writes(self) -> tuple[Path, ...]:
        """Return the folders that it writes to; normally none."""
        return ()

    def understands(self, language: str) -> bool:
        """Return whether the engine supports `language`, a tag from `canonical_language`."""
        return understands(self.languages, language)

    def kind_of_request(self, _request: RecognitionRequest) -> Hashable:
        """Return what requests should have in common to share a call. The queue prefers such batches."""
        return None

    def limit_cpu_sec(self, windows: int) -> float:
        """Return the CPU seconds after which a call with this many windows counts as hung."""
        return PATIENCE * windows * WINDOW_SEC / self.speed
