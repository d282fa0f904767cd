"""Work on one job in this process until it has ended or somebody interrupts."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType

from batchscribe.cli.progress import progress
from batchscribe.cli.records import home_of
from batchscribe.database.job import get_job
from batchscribe.jobs.model import Job
from batchscribe.settings import Settings
from batchscribe.work.records import Records
from batchscribe.work.worker import Worker

LOOK_SEC = 0.2
STOP_SEC = 2.0  #: for a clean end; then the process ends anyhow: work on record bears that
#: More than for a server: here a worker dies of Ctrl-C, a closed lid or a reboot, hardly ever of a recording.
MAX_DEATHS = 10
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """The signal that asked for the end, once there was one."""

    def __init__(self) -> None:
        self.status: int | None = None  #: what the process shall exit with

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Leave a mark and a deadline. No `threading.Event`: a handler that sets one can lock up with its wait."""
        if self.status is not None:  # the second time the user means it
            os._exit(128 + number)
        self.status = 128 + number
        end = threading.Timer(STOP_SEC, os._exit, [self.status])
        end.daemon = True
        end.start()


@dataclass(frozen=True, slots=True)
class Session:
    """This process at work."""

    records: Records
    worker: Worker
    interruption: Interruption

    @property
    def exit_status(self) -> int:
        """0 unless a signal came."""
        return self.interruption.status or 0

    def watch(self, job: Job) -> Job:
        """Show the job's progress until it has ended or a signal came; the job as it is then."""
        with progress() as display:
            while not job.is_final and self.interruption.status is None:
                time.sleep(LOOK_SEC)
                with self.records.transaction() as connection:
                    job = get_job(connection, job.job_id)
                display.show(self._with_files_in_hand(job))
        return job

    def _with_files_in_hand(self, job: Job) -> Job:
        """So that three hours of one recording do not look like nothing for as long."""
        in_hand_sec = 0.0 if job.is_final else self.worker.in_hand.audio_sec(job.number)
        return replace(job, summary=replace(job.summary, audio_sec=job.summary.audio_sec + in_hand_sec))


@contextmanager
def working(records: Records, settings: Settings, *, lane: str) -> Iterator[Session]:
    """A worker of this lane, stopped at the end: what is unfinished then goes on in the next one."""
    asked_for = "max_attempts" in settings.model_fields_set
    worker = Worker(records, settings, max_deaths=None if asked_for else MAX_DEATHS)
    with _signals() as interruption:
        worker.start(lanes=[lane], home=home_of(settings))
        try:
            yield Session(records, worker, interruption)
        finally:
            worker.stop()


@contextmanager
def _signals() -> Iterator[Interruption]:
    interruption = Interruption()
    before = {number: signal.signal(number, interruption.note) for number in SIGNALS}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
