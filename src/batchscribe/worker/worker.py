"""The worker: one process that takes tasks of the durable queue."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DECODER, DecoderPool
from batchscribe.database.backlog import queue_keys_of_lane
from batchscribe.database.connect import DATABASE_TROUBLE
from batchscribe.database.job_rows import is_live
from batchscribe.jobs.model import Job
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.speakers.speaker_pool import SpeakerPool
from batchscribe.speakers.speaker_process import SPEAKERS
from batchscribe.speech.capability import Capability, queue_key_of
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.registry import engine_names
from batchscribe.stages.job_context import FilesInHand, JobWatch
from batchscribe.stages.slots import Slots
from batchscribe.tracing.exporting import start_tracing, stop_tracing
from batchscribe.worker.capacity import capacity_of, speaker_processes, speaker_threads
from batchscribe.worker.engine_pools import EnginePools, MakePool
from batchscribe.worker.fleet import Fleet, new_worker
from batchscribe.worker.handlers import Handlers
from batchscribe.worker.headroom import check_headroom, limit_arenas
from batchscribe.worker.job_access import JobAccess
from batchscribe.worker.machine_health import MachineHealth
from batchscribe.worker.open_jobs import OpenJobs

log = structlog.get_logger()

OUTDATED = "Another release migrated the database, so this process ends; start it again with that release."
REPLACED = "This process was silent for so long that another one has taken over its work."
BROKEN = (
    "A thread of this process ended with an unexpected error, so the process ends; standard error has the details. "
    "Start it again: nothing is lost."
)


class Worker:
    """One worker process. It takes tasks between `start` and `stop`. Thread-safe; one per process."""

    def __init__(
        self,
        records: Records,
        settings: Settings,
        *,
        make_pool: MakePool = EnginePool,
        max_deaths: int | None = None,
        credentials_wait_sec: float | None = None,
    ) -> None:
        """`max_deaths` is how many times a worker may die on the same file; default: `max_attempts` of the settings.

        `credentials_wait_sec` overrides the setting.
        """
        self.watch = JobWatch(self._is_live)
        self.in_hand = FilesInHand()
        self.health = MachineHealth(self._try_out, changed=self._report_troubles, died=self._end_broken)
        self.must_end = threading.Event()  #: set when this process must end
        self.why_end = ""  #: the reason, as a sentence
        self._records = records
        self._settings = settings
        self._capacity = capacity_of(settings)
        self._slots = Slots(self._capacity.files)
        self._decoder = DecoderPool(
            self._capacity.decoders, DecodeLimits.from_settings(settings), input_formats=settings.input_formats
        )
        self._speakers = SpeakerPool(settings, threads=speaker_threads(), most_idle=speaker_processes())
        self._engines = EnginePools(settings, make_pool)
        if credentials_wait_sec is None:
            credentials_wait_sec = settings.credentials_wait_sec
        access = JobAccess(
            records,
            settings,
            credentials_wait_sec=credentials_wait_sec,
            decoder=self._decoder,
            decoding=Slots(self._capacity.open_recordings),
            diarizing=Slots(speaker_processes()),
            engines=self._engines,
            speakers=self._speakers,
            watch=self.watch,
            in_hand=self.in_hand,
            health=self.health,
        )
        self._open_jobs = OpenJobs(access.make_context)
        self._handlers = Handlers(
            records,
            settings,
            watch=self.watch,
            health=self.health,
            access=access,
            open_jobs=self._open_jobs,
            slots=self._slots,
            max_deaths=max_deaths or settings.max_attempts,
        )
        self._fleet: Fleet | None = None
        self._worker_id = settings.worker_name

    def start(
        self,
        *,
        lanes: Sequence[str],
        engines: Sequence[str] | None = None,
        home: str | None = None,
        spec: EngineSpec | None = None,
        diarizes: bool = True,
        alone: bool = False,
    ) -> None:
        """Take over the tasks of a dead predecessor in this home, then process tasks of these lanes and engines.

        A single worker takes jobs for every engine (the default), and fails those whose engine or model is not
        available. `home` is a place that only this process uses, so its previous user is dead. Recordings are started
        once the machine has passed a trial. The trial uses `spec` if given, otherwise the best model of each engine.
        Without `diarizes`, diarization is neither offered nor tried. With `alone`, no other process may work in these
        lanes: raises `AlreadyRunning` if one does.
        """
        limit_arenas()
        takes_all = engines is None
        engines = engine_names() if engines is None else engines
        stock = self._engines.take_stock(spec, diarizes=diarizes)
        fleet = self._enter_fleet(lanes, stock, home, alone=alone)
        start_tracing(self._worker_id)
        names = {capability.name for capability in stock}
        to_try = [name for name in engines if name in names]
        if spec is not None:
            self._engines.open(spec)
            to_try = [spec.name]
        if any(capability.has_speakers for capability in stock):
            to_try.append(SPEAKERS)
        self.health.start(to_try)
        self._records.flow.run(
            self._handlers.by_kind(self._worker_id),
            executor_id=self._worker_id,
            lanes=lanes,
            engines=self._list_queues(engines, stock, lanes if takes_all else ()),
            slots=self._capacity.shards,
            tenant_slots=self._settings.tenant_shards,
            is_fit_for=self.health.is_fit_for,
            died=self._end_broken,
        )
        fleet.begin()

    def _list_queues(self, engines: Sequence[str], stock: Sequence[Capability], lanes: Sequence[str]) -> list[str]:
        """Return the engines and the keys of their models, which select queues; see `Job.queue_key`.

        Of `lanes`, those of unfinished jobs are added: a single worker fails a job whose model is gone.
        """
        keys = [*engines, *(capability.key for capability in stock if capability.name in engines)]
        if any(capability.has_speakers for capability in stock):
            keys += [queue_key_of(key, diarization=True) for key in keys]
        with self._records.transaction() as connection:
            keys += [key for lane in lanes for key in queue_keys_of_lane(connection, lane)]
        return list(dict.fromkeys(keys))

    def _enter_fleet(
        self, lanes: Sequence[str], engines: Sequence[Capability], home: str | None, *, alone: bool
    ) -> Fleet:
        """Register this process. Raises `AlreadyRunning`."""
        me = new_worker(self._settings, lanes=lanes, slots=self._capacity.shards, engines=engines, home=home)
        self._worker_id = me.worker_id
        fleet = self._fleet = Fleet(
            self._records,
            self._settings,
            me,
            self.watch,
            troubles=lambda: self.health.troubles,
            outdated=self._end_outdated,
            replaced=self._end_replaced if alone else None,
            died=self._end_broken,
        )
        fleet.enter()
        return fleet

    def _end_outdated(self) -> None:
        if not self.must_end.is_set():
            log.error("worker.outdated", worker_id=self._worker_id)
            self._end(OUTDATED)

    def _end_replaced(self, by: str) -> None:
        log.error("worker.replaced", worker_id=self._worker_id)
        self._end(f"{REPLACED} {by}")

    def _end_broken(self, thread: str) -> None:
        log.error("worker.broken", worker_id=self._worker_id, thread=thread)
        self._end(BROKEN)

    def _end(self, why: str) -> None:
        self.why_end = self.why_end or why
        self.must_end.set()

    def _report_troubles(self) -> None:
        if self._fleet is not None:
            self._fleet.report_troubles()

    def _try_out(self, part: str) -> None:
        if part == DECODER:
            check_headroom(self._capacity, speaker_processes())
            self._decoder.try_out()
        elif part == SPEAKERS:
            self._speakers.try_out()
        else:
            self._engines.try_out(part)

    def _is_live(self, job_number: int) -> bool:
        """Return whether the job is live. True if the database is unavailable, so that finished work is not lost."""
        try:
            with self._records.transaction() as connection:
                return is_live(connection, job_number)
        except DATABASE_TROUBLE:
            return True

    def settle(self, job: Job) -> None:
        """Settle transcripts that a dead process was writing when the job ended. No other process may use the job."""
        self._handlers.settle(job)

    def drain(self, within_sec: float) -> bool:
        """Start no new file and wait for those in progress. Returns False if time runs out. Then call `stop`."""
        self.watch.drain()
        return self._slots.wait_empty(within_sec)

    def stop(self) -> None:
        """Drop work in progress: unfinished files are requeued, for the next process here or for another worker."""
        self.watch.stop()
        self._engines.close()
        self._speakers.close()
        self._decoder.close()
        self.health.stop()
        self._records.flow.stop()
        if self._fleet is not None:
            self._fleet.leave()
        stop_tracing()
