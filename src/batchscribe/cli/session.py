"""Work on one job in this process until it has ended or somebody interrupts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from batchscribe.cli.ending import Ending, ending
from batchscribe.cli.progress import progress
from batchscribe.cli.records import home_of
from batchscribe.database.job import get_job
from batchscribe.errors import InternalError
from batchscribe.jobs.model import Job
from batchscribe.settings import Settings
from batchscribe.speech.engine import EngineSpec
from batchscribe.work.records import Records
from batchscribe.work.worker import Worker

LOOK_SEC = 0.2
STOP_SEC = 2.0  #: for a clean end; then the process ends anyhow: work on record bears that
#: More than for a server: here a worker dies of Ctrl-C, a closed lid or a reboot, hardly ever of a recording.
MAX_DEATHS = 10
UNFIT_SEC = 20.0  #: that this machine may take to get well by itself, before the command gives up


@dataclass(frozen=True, slots=True)
class Session:
    """This process at work."""

    records: Records
    worker: Worker
    interruption: Ending
    engine: str

    @property
    def exit_status(self) -> int:
        """0 unless a signal came."""
        return self.interruption.status or 0

    def watch(self, job: Job) -> Job:
        """Show the job's progress until it has ended or a signal came; the job as it is then.

        Raises `MachineTrouble` when this machine could not go on with it for a while, `InternalError`.
        """
        with progress() as display:
            while not job.is_final and not self.interruption.asked:
                self._check()
                time.sleep(LOOK_SEC)
                with self.records.transaction() as connection:
                    job = get_job(connection, job.job_id)
                display.show(self._with_files_in_hand(job))
        return job

    def _check(self) -> None:
        if self.worker.must_end.is_set():
            raise InternalError(self.worker.why_end)
        trouble = self.worker.fitness.lasting_trouble(self.engine, sec=UNFIT_SEC)
        if trouble is not None:
            raise trouble

    def _with_files_in_hand(self, job: Job) -> Job:
        """So that three hours of one recording do not look like nothing for as long."""
        in_hand_sec = 0.0 if job.is_final else self.worker.in_hand.audio_sec(job.number)
        return replace(job, summary=replace(job.summary, audio_sec=job.summary.audio_sec + in_hand_sec))


@contextmanager
def working(records: Records, settings: Settings, *, lane: str, spec: EngineSpec) -> Iterator[Session]:
    """A worker of this lane, stopped at the end: what is unfinished then goes on in the next one.

    Raises `MachineTrouble` when the decoder or this engine fails a trial.
    """
    asked_for = "max_attempts" in settings.model_fields_set
    worker = Worker(records, settings, max_deaths=None if asked_for else MAX_DEATHS, credentials_wait_sec=0.0)
    with ending(STOP_SEC) as interruption:
        worker.start(lanes=[lane], home=home_of(settings), spec=spec)
        try:
            worker.fitness.wait_tried()
            yield Session(records, worker, interruption, spec.name)
        finally:
            worker.stop()
