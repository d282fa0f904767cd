"""A pool of speaker processes. Each diarizes one recording at a time and is then reused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from batchscribe.cost import current_meter
from batchscribe.errors import DiarizationError, MachineTrouble, WorkInterrupted
from batchscribe.settings import Settings
from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.speaker_models import NOT_INSTALLED, find_speaker_models
from batchscribe.speakers.speaker_process import CURE, SPEAKERS, SpeakerProcess
from batchscribe.window import SAMPLE_RATE

FILES_PER_PROCESS = 200  #: then a new process replaces it, which releases any leaked memory
TRIAL_SEC = 1.0


class SpeakerPool:
    """Speaker processes of one worker. Thread-safe."""

    def __init__(self, settings: Settings, *, threads: int, most_idle: int) -> None:
        """Create a pool without processes. Each will use `threads` threads; up to `most_idle` may wait for work."""
        self._settings = settings
        self._threads = threads
        self._most_idle = most_idle
        self._lock = threading.Lock()
        self._idle: list[SpeakerProcess] = []
        self._busy: set[SpeakerProcess] = set()
        self._closed = False

    @contextmanager
    def diarize(self, count: SpeakerCount, check: Callable[[], None] = lambda: None) -> Iterator[SpeakerProcess]:
        """Open a process for one recording, which takes its sound with `feed` and returns the turns from `finish`.

        `check` is called while the caller waits, and raises if the recording is no longer wanted. Raises
        `MachineTrouble` if no process can work, `DiarizationError`, and `WorkInterrupted` if the pool is closed.
        """
        process = self._take()
        began_at_sec = process.cpu_sec
        try:
            process.begin(count, check)
            yield process
        except (DiarizationError, MachineTrouble) as error:
            if self._closed:
                raise WorkInterrupted("Diarization was stopped.") from error
            raise
        finally:
            current_meter().add(compute_sec=max(0.0, process.cpu_sec - began_at_sec))
            self._give_back(process)

    def try_out(self) -> None:
        """Diarize a tone in a new process, which then waits for work.

        Raises `MachineTrouble`, and `WorkInterrupted` if the pool is closed.
        """
        import numpy as np

        with self._lock:
            process = self._start()
        times_sec = np.arange(int(TRIAL_SEC * SAMPLE_RATE)) / SAMPLE_RATE
        try:
            process.begin(SpeakerCount())
            process.feed((0.1 * np.sin(2 * np.pi * 250 * times_sec)).astype(np.float32))
            process.finish()
        except (DiarizationError, MachineTrouble) as error:
            raise self._failed_trial(error) from error
        finally:
            self._give_back(process)

    def close(self) -> None:
        """End all processes; diarization in progress raises `WorkInterrupted`."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for process in self._busy:
                process.kill()
        for process in idle:
            process.close()

    def _failed_trial(self, error: DiarizationError | MachineTrouble) -> WorkInterrupted | MachineTrouble:
        if self._closed:
            return WorkInterrupted("Diarization was stopped.")
        if isinstance(error, MachineTrouble):
            return error
        sentence = f"Diarization of the trial recording fails on this machine ({error.message.rstrip('.')}). {CURE}"
        return MachineTrouble(sentence, part=SPEAKERS)

    def _take(self) -> SpeakerProcess:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive:
                    self._busy.add(process)
                    return process
                process.close()  # the system ended it, perhaps to free memory; no recording is the cause
            return self._start()

    def _start(self) -> SpeakerProcess:
        """Start a process. The caller holds the lock."""
        if self._closed:
            raise WorkInterrupted("Diarization was stopped.")
        folder = find_speaker_models(self._settings)
        if folder is None:
            raise MachineTrouble(NOT_INSTALLED, part=SPEAKERS)
        process = SpeakerProcess(folder, self._threads)
        self._busy.add(process)
        return process

    def _give_back(self, process: SpeakerProcess) -> None:
        with self._lock:
            self._busy.discard(process)
            is_wanted = process.files < FILES_PER_PROCESS and len(self._idle) < self._most_idle
            if process.is_free and is_wanted and not self._closed:
                self._idle.append(process)
                return
        process.close()
