"""Health of this machine: trials on tiny built-in recordings, at the start and after trouble.

If a decoder or an engine dies, the cause is unknown. If the machine passes a trial right after that, the recording is
the cause. If it fails, the machine is the cause, and it takes no more recordings until it passes a trial.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from batchscribe.audio.decoder import DECODER
from batchscribe.errors import MachineTrouble, WorkInterrupted
from batchscribe.metrics import UNFIT
from batchscribe.queue.vital_thread import Died, vital_thread
from batchscribe.speakers.speaker_process import SPEAKERS
from batchscribe.speech.capability import engine_of_key, model_of_queue, needs_speakers

log = structlog.get_logger()

FIRST_PAUSE_SEC, LONGEST_PAUSE_SEC = 1.0, 60.0  #: between the trials of an unfit machine; each is twice the previous
STEADY_SEC = 60.0  #: time without trouble after which the first pause is used again

#: Runs a trial of a part. Raises `MachineTrouble`, or `WorkInterrupted` if the process stops.
TryOut = Callable[[str], None]


@dataclass(slots=True)
class _Part:
    """The state of the decoder, of an engine or of diarization."""

    is_tried: bool = False
    passed_at: float = float("-inf")  #: start of the last trial that it passed
    trouble: MachineTrouble | None = None
    troubled_since: float = 0.0
    trial: threading.Lock = field(default_factory=threading.Lock)  #: one at a time


class MachineHealth:
    """The fitness of each part. Thread-safe. Between `start` and `stop`, a thread tries untried and unfit parts."""

    def __init__(
        self, try_out: TryOut, *, changed: Callable[[], None] = lambda: None, died: Died = lambda _: None
    ) -> None:
        """`changed` is called after a part has become unfit or fit again."""
        self._try_out = try_out
        self._changed = changed
        self._lock = threading.Lock()
        self._parts: dict[str, _Part] = {}
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._all_tried = threading.Event()
        self._steady_since = time.monotonic()
        self._pause_sec = FIRST_PAUSE_SEC
        self._thread = vital_thread(self._run, name="fitness", died=died, is_stopping=self._stopping.is_set)

    def start(self, parts: Iterable[str]) -> None:
        """Try the decoder and these parts: engines, and `SPEAKERS`. They count as unfit until they pass."""
        with self._lock:
            self._parts |= {name: _Part() for name in (DECODER, *parts)}
        self._wanted.set()
        self._thread.start()

    def stop(self) -> None:
        """Stop the trials. Close the pools before, so that no call waits for a trial."""
        self._stopping.set()
        self._wanted.set()
        self._all_tried.set()
        if self._thread.is_alive():
            self._thread.join()

    def wait_tried(self) -> None:
        """Wait until every part has been tried once. Raises `MachineTrouble` if one of them has failed."""
        self._all_tried.wait()
        for trouble in self._current_troubles().values():
            raise trouble

    @property
    def troubles(self) -> dict[str, str]:
        """What the machine cannot do now: parts and messages."""
        return {name: trouble.message for name, trouble in self._current_troubles().items()}

    def is_fit_for(self, engine: str) -> bool:
        """Return whether recordings may be taken for this engine, for the model with this key, or for this queue."""
        with self._lock:
            return all(self._is_fit(name) for name in _parts_for(engine))

    def check(self, engine: str) -> None:
        """Raise `MachineTrouble` if no recording may be started for this engine, or for this queue."""
        now = self._current_troubles()
        for name in _parts_for(engine):
            if name in now:
                raise now[name]

    def check_any(self) -> None:
        """Raise `MachineTrouble` if no recording can be started at all: the decoder or every engine is unfit."""
        with self._lock:
            engines = [part for name, part in self._parts.items() if name not in (DECODER, SPEAKERS)]
            decoder = self._parts.get(DECODER)
            troubles = [part.trouble for part in engines if part.trouble]
        if decoder and decoder.trouble:
            raise decoder.trouble
        if troubles and len(troubles) == len(engines):
            raise troubles[0]

    def lasting_trouble(self, engine: str, *, sec: float) -> MachineTrouble | None:
        """Return trouble that has blocked recordings of this engine for at least `sec` seconds."""
        with self._lock:
            for name in _parts_for(engine):
                part = self._parts.get(name)
                if part and part.trouble and time.monotonic() - part.troubled_since >= sec:
                    return part.trouble
        return None

    def confirm(self, part: str) -> None:
        """Run a trial of a part that has just failed. Raises `MachineTrouble` if it fails its trial.

        If several threads call this at the same time, they share a successful trial.
        """
        asked_at = time.monotonic()
        found = self._part(part)
        with found.trial:
            if found.passed_at >= asked_at:
                return
            self._try(part)

    def report(self, trouble: MachineTrouble) -> None:
        """Take no more recordings for this part until it has passed a trial."""
        with self._lock:
            part = self._parts.setdefault(trouble.part, _Part())
            part.is_tried = True
            is_news = part.trouble is None
            if is_news:
                part.troubled_since = time.monotonic()
                if part.troubled_since - self._steady_since >= STEADY_SEC:
                    self._pause_sec = FIRST_PAUSE_SEC
            part.trouble = trouble
        if is_news:
            UNFIT.labels(trouble.part).set(1)
            log.error("machine.unfit", part=trouble.part, reason=trouble.message)
            self._wanted.set()
            self._changed()

    def _recover(self, name: str, began_at: float) -> None:
        with self._lock:
            part = self._parts.setdefault(name, _Part())
            part.is_tried, part.passed_at = True, began_at
            was_unfit, part.trouble = part.trouble is not None, None
            if was_unfit:
                self._steady_since = time.monotonic()
        UNFIT.labels(name).set(0)
        if was_unfit:
            log.warning("machine.fit_again", part=name)
            self._changed()

    def _try(self, name: str) -> None:
        began_at = time.monotonic()
        try:
            self._try_out(name)
        except MachineTrouble as trouble:
            self.report(trouble)
            raise
        self._recover(name, began_at)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._try_all(self._unfit())
            self._all_tried.set()
            if not self._unfit():
                self._wanted.wait()
                self._wanted.clear()
            if self._unfit() and not self._stopping.wait(self._pause_sec):
                self._pause_sec = min(2 * self._pause_sec, LONGEST_PAUSE_SEC)

    def _try_all(self, names: Collection[str]) -> None:
        for name in names:
            with self._part(name).trial:
                try:
                    self._try(name)
                except MachineTrouble:
                    continue  # it was reported, and will be tried again
                except WorkInterrupted:
                    return

    def _unfit(self) -> list[str]:
        with self._lock:
            return [name for name in self._parts if not self._is_fit(name)]

    def _is_fit(self, name: str) -> bool:
        """Return whether a part is fit; needs the lock. An engine that was not used yet counts as fit."""
        part = self._parts.get(name)
        return part is None or (part.is_tried and part.trouble is None)

    def _part(self, name: str) -> _Part:
        with self._lock:
            return self._parts.setdefault(name, _Part(is_tried=True))

    def _current_troubles(self) -> Mapping[str, MachineTrouble]:
        with self._lock:
            return {name: part.trouble for name, part in self._parts.items() if part.trouble}


def _parts_for(engine: str) -> tuple[str, ...]:
    """Return the parts that recordings need, for an engine, the key of a model, or the key of a queue."""
    speakers = (SPEAKERS,) if needs_speakers(engine) else ()
    return tuple(dict.fromkeys((DECODER, engine_of_key(engine), model_of_queue(engine), *speakers)))
