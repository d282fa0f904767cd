"""The in-memory twin of the engines: it makes its words up, costs what it is told to, and misbehaves on request."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from batchscribe.speech.engine import Detection, Engine, EngineSpec, Request
from batchscribe.speech.language_vote import likeliest
from batchscribe.window import Recognition, Window, Word

#: Seconds that each made-up word takes.
WORD_SEC = 0.4
VOCABULARY = ("the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the engine costs, and on which windows (named by their `start_sec`) it misbehaves."""

    cpu_per_audio_sec: float = 0.0  #: CPU seconds burnt for each second of audio
    call_sec: float = 0.0  #: seconds slept in each call, whatever the batch
    detected: tuple[tuple[str, float], ...] = ()  #: languages that it reports when asked, likeliest first
    dies_at: frozenset[float] = frozenset()
    hangs_at: frozenset[float] = frozenset()
    fails_at: frozenset[float] = frozenset()
    dies_loading: bool = False
    cannot_load_while: Path | None = None  #: this file exists
    only_once: Path | None = None  #: a file made before the first misdeed; while it exists the engine behaves


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedSpec(EngineSpec):
    """By default it understands English and costs next to nothing."""

    name: str = "scripted"
    model: str = "made-up words"
    languages: tuple[str, ...] = ("en",)
    speed: float = 1000.0
    script: Script = Script()

    def reads(self) -> tuple[Path, ...]:
        return (self.script.cannot_load_while.parent,) if self.script.cannot_load_while else ()

    def writes(self) -> tuple[Path, ...]:
        return (self.script.only_once.parent,) if self.script.only_once else ()

    def build(self) -> Engine:
        return ScriptedEngine(self.script)


class ScriptedEngine:
    """Says a sentence that depends on nothing but the length of the window."""

    def __init__(self, script: Script) -> None:
        self.script = script
        if script.dies_loading and self._may_misbehave():
            os.kill(os.getpid(), signal.SIGKILL)
        if script.cannot_load_while and script.cannot_load_while.exists():
            raise RuntimeError("the script says that loading fails")

    def transcribe(self, requests: Sequence[Request]) -> list[Recognition]:
        time.sleep(self.script.call_sec)
        return [self._make_up(request) for request in requests]

    def _make_up(self, request: Request) -> Recognition:
        duration_sec = request.window.duration_sec
        self._misbehave(request.window)
        burn(duration_sec * self.script.cpu_per_audio_sec)
        detected = self.script.detected if request.detection is not Detection.OFF else ()
        chosen = likeliest(dict(detected), request.language) if request.detection is Detection.CHOOSE else None
        return replace(made_up(duration_sec), detected=detected, language=chosen)

    def _misbehave(self, window: Window) -> None:
        start_sec, script = window.start_sec, self.script
        if start_sec not in script.dies_at | script.hangs_at | script.fails_at or not self._may_misbehave():
            return
        if start_sec in script.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if start_sec in script.hangs_at:
            time.sleep(3600)
        raise ValueError("the script says that this window fails")

    def _may_misbehave(self) -> bool:
        mark = self.script.only_once
        if mark is None:
            return True
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def made_up(duration_sec: float) -> Recognition:
    """A word for each 0.4 s, the last one clamped; at least one."""
    count = max(1, int(duration_sec / WORD_SEC))
    words = tuple(
        Word(VOCABULARY[index % len(VOCABULARY)], index * WORD_SEC, min((index + 1) * WORD_SEC, duration_sec))
        for index in range(count)
    )
    return Recognition.of(" ".join(word.text for word in words), words, duration_sec)


def burn(cpu_sec: float) -> None:
    """Keep this thread's core busy for that long."""
    end = time.thread_time() + cpu_sec
    while time.thread_time() < end:
        pass
