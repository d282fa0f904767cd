"""The worker of a local job in this process, from its start to a signal or the end of the job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from batchscribe.cli.local_records import name_home
from batchscribe.cli.process.signals import EndRequest, handle_signals
from batchscribe.errors import InternalError
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.speech.capability import queue_key_of
from batchscribe.speech.engine import EngineSpec
from batchscribe.worker.confinement_report import start_confinement_report
from batchscribe.worker.worker import Worker

STOP_SEC = 2.0  #: for a clean end; then the process exits in any case, without harm to stored jobs
#: More than for a server: here a worker dies from Ctrl-C, a closed lid or a reboot, rarely because of a recording.
MAX_DEATHS = 10
UNFIT_SEC = 20.0  #: for this machine to recover, before the command ends


@dataclass(frozen=True, slots=True)
class LocalWork:
    """What the worker of a local job needs: its lane, its model, and whether it needs the speaker models."""

    lane: str
    spec: EngineSpec
    diarizes: bool


@dataclass(frozen=True, slots=True)
class WorkSession:
    """The worker of this process, with the signals that end it."""

    records: Records
    worker: Worker
    end: EndRequest
    engine: str  #: or the key of a queue, which also says whether it needs the speaker models

    @property
    def exit_status(self) -> int:
        """0, or the status of the signal that arrived."""
        return self.end.status or 0

    def check_worker(self) -> None:
        """Raises `MachineTrouble` if this machine is unfit for `UNFIT_SEC`, `InternalError` if the worker must end."""
        if self.worker.must_end.is_set():
            raise InternalError(self.worker.why_end)
        trouble = self.worker.health.lasting_trouble(self.engine, sec=UNFIT_SEC)
        if trouble is not None:
            raise trouble


@contextmanager
def open_session(records: Records, settings: Settings, work: LocalWork) -> Iterator[WorkSession]:
    """Run a worker for this lane in the block. The next command resumes unfinished work.

    Raises `AlreadyRunning`, and `MachineTrouble` if the decoder, this engine or, if the job needs it, diarization fails
    its trial.
    """
    is_set = "max_attempts" in settings.model_fields_set
    worker = Worker(records, settings, max_deaths=None if is_set else MAX_DEATHS, credentials_wait_sec=0.0)
    with handle_signals(STOP_SEC) as end:
        worker.start(lanes=[work.lane], home=name_home(settings), spec=work.spec, diarizes=work.diarizes, alone=True)
        try:
            worker.health.wait_tried()
            telling = start_confinement_report(settings, only_trouble=True)
            yield WorkSession(records, worker, end, queue_key_of(work.spec.name, diarization=work.diarizes))
            telling.join()
        finally:
            worker.stop()
