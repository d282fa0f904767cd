"""An engine that recognizes the number of a call, and records each start in the ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path

from batchscribe.errors import EngineNotAvailable
from batchscribe.speech.engine import RecognitionRequest
from batchscribe.speech.scripted import ScriptedSpec
from batchscribe.window import Recognition, Window, Word
from tests.chaos.calls import number_in, words_of
from tests.chaos.ledger import Ledger
from tests.chaos.machine import Machine

#: Seconds that a window takes, by its number: long enough for a kill.
LEAST_SEC, STEP_SEC, STEPS = 0.15, 0.1, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosSpec(ScriptedSpec):
    """Replaces the scripted engine. It claims to be slow, so that a job of a few calls has several shards."""

    model: str = "numbers"
    revision: str | None = "1"
    speed: float = 0.05
    device: str = "cuda"
    ledger: Path
    machine: Machine

    def reads(self) -> tuple[Path, ...]:
        return (self.machine.folder,)

    def writes(self) -> tuple[Path, ...]:
        return (self.ledger.parent,)

    def build(self) -> ChaosEngine:
        self.machine.load()
        return ChaosEngine(Ledger(self.ledger))


def spec_at_hand(ledger: Path, machine: Machine) -> ChaosSpec:
    """Return the spec. Like Whisper, it notices a missing model without loading it. Raises `EngineNotAvailable`."""
    if not machine.model.exists():
        raise EngineNotAvailable("Engine scripted has no model here.")
    return ChaosSpec(ledger=ledger, machine=machine)


class ChaosEngine:
    """Its ledger entry `start` is the start of a transcription: number, position in the recording, and worker."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def transcribe(self, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        return [self._recognize(request.window) for request in requests]

    def _recognize(self, window: Window) -> Recognition:
        number = number_in(window.samples)
        worker = parent_process()
        assert worker is not None
        assert worker.pid is not None
        self._ledger.note("start", number=number, start_sec=window.start_sec, worker=worker.pid)
        time.sleep(LEAST_SEC + STEP_SEC * (number % STEPS))
        text = words_of(number)
        return Recognition.of(text, tuple(Word(word, 0.0, 0.1) for word in text.split()), window.duration_sec)
