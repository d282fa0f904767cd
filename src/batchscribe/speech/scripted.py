"""A test engine: it invents its text, uses a configurable amount of CPU, and fails on request."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from batchscribe.speech.engine import Engine, EngineSpec, LanguageChoice, RecognitionRequest
from batchscribe.speech.engine_record import EngineRecord
from batchscribe.speech.language_vote import choose_language
from batchscribe.window import Recognition, Window, Word

#: The duration of each invented word, in seconds.
WORD_SEC = 0.4
VOCABULARY = ("the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How much CPU the engine uses, and on which windows (given by their `start_sec`) it fails."""

    cpu_per_audio_sec: float = 0.0  #: CPU seconds used per second of audio
    load_sec: float = 0.0  #: seconds slept to load
    call_sec: float = 0.0  #: seconds slept in each call
    window_sec: float = 0.0  #: seconds slept in each call for each of its windows
    prepare_sec: float = 0.0  #: seconds slept to prepare each batch
    waits_at: frozenset[float] = frozenset()  #: the call lasts until the next batch is prepared
    longest_wait_sec: float = 20.0  #: for that; then the call fails
    detected: tuple[tuple[str, float], ...] = ()  #: languages that it reports if requested, most probable first
    dies_at: frozenset[float] = frozenset()
    hangs_at: frozenset[float] = frozenset()
    fails_at: frozenset[float] = frozenset()
    never_fits_at: frozenset[float] = frozenset()  #: runs out of memory
    dies_loading: bool = False
    #: A folder. While it contains a file with the name of a device, calls on that device fail, and so does loading,
    #: unless the file contains "calls".
    lost_devices: Path | None = None
    #: A folder with a file for each device, whose memory suffices for one model.
    device_memory: Path | None = None
    cannot_load_while: Path | None = None  #: loading fails while this file exists
    no_memory_while: Path | None = None  #: if this file exists, the engine has no memory for a window of over a second
    memory_windows: int | None = None  #: a call with more windows than this runs out of memory
    memory_error: str | None = None  #: the message of that error; None: it is a `MemoryError`
    only_once: Path | None = None  #: a file created before the first failure; while it exists, the engine works


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedSpec(EngineSpec):
    """The specification of the test engine. By default, it supports English and uses almost no CPU."""

    name: str = "scripted"
    model: str = "made-up words"
    languages: tuple[str, ...] = ("en",)
    speed: float = 1000.0
    script: Script = Script()

    def reads(self) -> tuple[Path, ...]:
        marks = (self.script.cannot_load_while, self.script.no_memory_while)
        folders = (self.script.lost_devices, self.script.device_memory)
        return (*(mark.parent for mark in marks if mark), *filter(None, folders))

    def writes(self) -> tuple[Path, ...]:
        return (self.script.only_once.parent,) if self.script.only_once else ()

    def build(self) -> Engine:
        return ScriptedEngine(self.script, self.device)


class ScriptedEngine:
    """An engine whose text depends only on the length of the window."""

    def __init__(self, script: Script, device: str = "cpu") -> None:
        self.script = script
        self._device = device
        self._prepared = threading.Semaphore(0)
        self._check_device(is_loading=True)
        self._take_device_memory()
        time.sleep(script.load_sec)
        if script.dies_loading and self._may_misbehave():
            os.kill(os.getpid(), signal.SIGKILL)
        if script.cannot_load_while and script.cannot_load_while.exists():
            raise RuntimeError("the script says that loading fails")

    def transcribe(self, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        return self.transcribe_prepared(self.prepare(requests))

    def prepare(self, requests: Sequence[RecognitionRequest]) -> Sequence[RecognitionRequest]:
        time.sleep(self.script.prepare_sec)
        self._prepared.release()
        return requests

    def transcribe_prepared(self, prepared: Sequence[RecognitionRequest]) -> list[Recognition]:
        self._check_device(is_loading=False)
        self._check_memory(len(prepared))
        self._prepared.acquire()  # of this batch
        if any(request.window.start_sec in self.script.waits_at for request in prepared):
            self._await_next_batch()
        time.sleep(self.script.call_sec + len(prepared) * self.script.window_sec)
        return [self._make_up(request) for request in prepared]

    def _await_next_batch(self) -> None:
        """Return when the next batch is prepared. Raises `RuntimeError` if that does not happen during this call."""
        if not self._prepared.acquire(timeout=self.script.longest_wait_sec):
            raise RuntimeError("no other batch was prepared during the call")
        self._prepared.release()

    def _check_device(self, *, is_loading: bool) -> None:
        mark = self.script.lost_devices and self.script.lost_devices / self._device
        if mark and mark.exists() and not (is_loading and mark.read_text() == "calls"):
            raise RuntimeError(f"the script says that {self._device} is lost")

    def _take_device_memory(self) -> None:
        """Lock the file of the device until this process ends."""
        if self.script.device_memory is None:
            return
        self._memory = (self.script.device_memory / self._device).open("rb")
        try:
            fcntl.flock(self._memory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RuntimeError("CUDA failed with error out of memory") from error

    def _check_memory(self, windows: int) -> None:
        if self.script.memory_windows is None or windows <= self.script.memory_windows:
            return
        if self.script.memory_error is None:
            raise MemoryError("the script says that the batch does not fit")
        raise RuntimeError(self.script.memory_error)

    def _make_up(self, request: RecognitionRequest) -> Recognition:
        duration_sec = request.window.duration_sec
        self._misbehave(request.window)
        use_cpu(duration_sec * self.script.cpu_per_audio_sec)
        detected = self.script.detected if request.detection is not LanguageChoice.OFF else ()
        chosen = (
            choose_language(dict(detected), request.language) if request.detection is LanguageChoice.CHOOSE else None
        )
        said = " ".join(request.vocabulary).split() or VOCABULARY
        return replace(make_up_text(duration_sec, said), detected=detected, language=chosen)

    def _misbehave(self, window: Window) -> None:
        start_sec, script = window.start_sec, self.script
        if script.no_memory_while and window.duration_sec > 1 and script.no_memory_while.exists():
            raise MemoryError("the script says that there is no memory")
        if start_sec in script.never_fits_at:
            raise MemoryError("the script says that this window never fits")
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


def make_up_text(duration_sec: float, said: Sequence[str] = VOCABULARY) -> Recognition:
    """Return one word per 0.4 s, the last one clamped; at least one. The words are those of `said`, repeatedly."""
    count = max(1, int(duration_sec / WORD_SEC))
    words = tuple(
        Word(said[index % len(said)], index * WORD_SEC, min((index + 1) * WORD_SEC, duration_sec))
        for index in range(count)
    )
    return Recognition.of(" ".join(word.text for word in words), words, duration_sec)


def use_cpu(cpu_sec: float) -> None:
    """Keep this thread's core busy for the given CPU time."""
    end = time.thread_time() + cpu_sec
    while time.thread_time() < end:
        pass


SCRIPTED = EngineRecord(
    name="scripted",
    rank=90,
    find_models=lambda _settings: [ScriptedSpec()],
    advice="it is part of batchscribe",
    is_automatic=False,
    warn=lambda _language, _is_named: ("The scripted engine invents its text; it is for tests and measurements.",),
)
