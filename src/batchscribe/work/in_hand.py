"""How far the files in hand have been heard: for live progress only, and gone with the process."""

from __future__ import annotations

import threading

from batchscribe.jobs.model import File


class InHand:
    """Seconds of audio behind which everything was heard, of each file that is being worked on. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reached: dict[tuple[int, int], float] = {}

    def reach(self, file: File, sec: float) -> None:
        with self._lock:
            self._reached[file.job_number, file.seq] = sec

    def drop(self, file: File) -> None:
        """The file has its outcome, or goes back."""
        with self._lock:
            self._reached.pop((file.job_number, file.seq), None)

    def audio_sec(self, job_number: int) -> float:
        """Of all files of a job that are in hand."""
        with self._lock:
            return sum(sec for (job, _), sec in self._reached.items() if job == job_number)
