"""The worker: pools that are shared by all jobs, and the handlers of the durable tasks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import structlog

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DECODER, DecoderPool
from batchscribe.database.connect import DATABASE_TROUBLE, RETRY_SEC, cause_of
from batchscribe.database.file_rows import files_being_written
from batchscribe.database.job_rows import find_job, get_job, is_live
from batchscribe.database.waiting_rows import LISTING
from batchscribe.errors import (
    CredentialsExpired,
    EngineNotAvailable,
    InternalError,
    JobError,
    MachineTrouble,
    ShardTaken,
    StorageError,
    StorageUnavailable,
    UsageError,
    WorkInterrupted,
)
from batchscribe.jobs.model import File, Job, Outcome
from batchscribe.metrics import RETRIES, Retry
from batchscribe.outbound.policy import Policy
from batchscribe.queue.flow import Handler
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import CLEAR, DELIVER, ENUMERATE, FINISH, GIVE_UP, SHARD, WAKE, Task
from batchscribe.settings import Settings
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.pool import EnginePool, SpeechPool
from batchscribe.speech.registry import ENGINE_NAMES, Choice, capabilities, choose_engine, find_engines
from batchscribe.stages.deliver import Schedule, deliver
from batchscribe.stages.enumerate_files import enumerate_job
from batchscribe.stages.existing_output import check_output, has_recording, look_in
from batchscribe.stages.finish import clear_queues, fail_job, finish_job
from batchscribe.stages.job_context import FilesInHand, JobContext, JobWatch, about_job, about_task
from batchscribe.stages.job_keys import JobKeys, give_up_waiting, wake
from batchscribe.stages.naming import FileRegister, Naming
from batchscribe.stages.page_plan import Rules
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT, open_signed_urls
from batchscribe.stages.settle import settle_abandoned
from batchscribe.stages.shard import ShardContext, work_shard
from batchscribe.stages.shortage import shortage_in
from batchscribe.stages.slots import Slots
from batchscribe.stages.transcribe_file import outcome_if_written
from batchscribe.storage.access import Access
from batchscribe.storage.roots import roots_of
from batchscribe.storage.routed import connect
from batchscribe.storage.store import Store
from batchscribe.webhooks.sender import Sender
from batchscribe.worker.fleet import Fleet, new_worker
from batchscribe.worker.headroom import check_headroom, limit_arenas
from batchscribe.worker.machine_health import MachineHealth
from batchscribe.worker.open_jobs import OpenJobs

log = structlog.get_logger()

#: Files in progress for each engine process: while one is transcribed, the next is read, decoded or written.
FILES_PER_ENGINE = 2
#: Pauses between attempts to list a source whose storage does not answer.
LISTING_PAUSES_SEC = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
OUTDATED = "Another release migrated the database, so this process ends; start it again with that release."
BROKEN = (
    "A thread of this process ended with an unexpected error, so the process ends; standard error has the details. "
    "Start it again: nothing is lost."
)


MakePool = Callable[[EngineSpec, int], SpeechPool]


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
        self.health = MachineHealth(self._try_out, changed=self._tell_troubles, died=self._end_broken)
        self.must_end = threading.Event()  #: set when this process must end
        self.why_end = ""  #: the reason, as a sentence
        self._records = records
        self._settings = settings
        self._make_pool = make_pool
        self._max_deaths = max_deaths or settings.max_attempts
        self._credentials_wait_sec = (
            settings.credentials_wait_sec if credentials_wait_sec is None else credentials_wait_sec
        )
        self._slots = Slots(settings.engine_processes * FILES_PER_ENGINE)
        self._decoder = DecoderPool(
            settings.engine_processes, DecodeLimits.from_settings(settings), extra_formats=settings.extra_formats
        )
        self._pools: dict[EngineSpec, SpeechPool] = {}
        self._open_jobs = OpenJobs(self._make_context)
        self._sender = Sender(Policy.from_settings(settings))
        self._schedule = Schedule(settings.webhook_first_retry_sec, settings.webhook_give_up_sec)
        self._fleet: Fleet | None = None
        self._engines_at_start: frozenset[str] = frozenset()
        self._worker_id = settings.worker_name
        self._pools_lock = threading.Lock()

    def start(
        self,
        *,
        lanes: Sequence[str],
        engines: Sequence[str] = ENGINE_NAMES,
        home: str | None = None,
        spec: EngineSpec | None = None,
    ) -> None:
        """Take over the tasks of a dead predecessor in this home, then process tasks of these lanes and engines.

        A single worker takes jobs for every engine, and fails those whose engine is not available. `home` is a place
        that only this process uses, so its previous user is dead. Recordings are started once the machine has passed a
        trial. The trial uses `spec` if given, otherwise the best model of each engine in the settings.
        """
        handlers: dict[str, Handler] = {
            ENUMERATE: partial(self._handle, self._enumerate_until_listed),
            SHARD: partial(self._handle, self._work_shard),
            FINISH: partial(self._handle, lambda job, _: finish_job(job.job_id, self._records)),
            CLEAR: self._clear,
            DELIVER: self._deliver,
            WAKE: self._wake,
            GIVE_UP: self._give_up,
        }
        limit_arenas()
        there = capabilities(self._settings)
        self._engines_at_start = frozenset(capability.name for capability in there)
        me = new_worker(self._settings, lanes=lanes, slots=self._slots.width, engines=there, home=home)
        self._worker_id = me.worker_id
        self._fleet = Fleet(
            self._records,
            self._settings,
            me,
            self.watch,
            troubles=lambda: self.health.troubles,
            outdated=self._end_outdated,
            died=self._end_broken,
        )
        self._fleet.enter()
        if spec is not None:
            self._pool(spec)
        self.health.start([spec.name] if spec else [name for name in engines if name in self._engines_at_start])
        self._records.flow.run(
            handlers,
            executor_id=me.worker_id,
            lanes=lanes,
            engines=engines,
            slots=self._slots.width,
            tenant_slots=self._settings.tenant_shards,
            is_fit_for=self.health.is_fit_for,
            died=self._end_broken,
        )
        self._fleet.begin()

    def _end_outdated(self) -> None:
        if not self.must_end.is_set():
            log.error("worker.outdated", worker_id=self._worker_id)
            self._end(OUTDATED)

    def _end_broken(self, thread: str) -> None:
        log.error("worker.broken", worker_id=self._worker_id, thread=thread)
        self._end(BROKEN)

    def _end(self, why: str) -> None:
        self.why_end = self.why_end or why
        self.must_end.set()

    def _tell_troubles(self) -> None:
        if self._fleet is not None:
            self._fleet.report_troubles()

    def _try_out(self, part: str) -> None:
        if part == DECODER:
            check_headroom(self._settings.engine_processes)
            self._decoder.try_out()
            return
        for spec in self._to_try(part):
            self._pool(spec).try_out()

    def _to_try(self, engine: str) -> list[EngineSpec]:
        """Return the models of an engine that are in use here, otherwise its best one. Raises `MachineTrouble`."""
        try:
            there = find_engines(engine, self._settings)
        except EngineNotAvailable as error:
            raise MachineTrouble(error.message, part=engine) from error
        with self._pools_lock:
            return [spec for spec in there if spec in self._pools] or there[:1]

    def drain(self, within_sec: float) -> bool:
        """Start no new file and wait for those in progress. Returns False if time runs out. Then call `stop`."""
        self.watch.drain()
        return self._slots.wait_empty(within_sec)

    def stop(self) -> None:
        """Drop work in progress: unfinished files are requeued, for the next process here or for another worker."""
        self.watch.stop()
        with self._pools_lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.close()
        self._decoder.close()
        self.health.stop()
        self._records.flow.stop()
        if self._fleet is not None:
            self._fleet.leave()

    def _handle(self, work: Callable[[Job, int], None], job_id: str, number: int) -> None:
        self._persist(partial(self._try, work, job_id, number), job_id)

    def _clear(self, job_id: str, _number: int) -> None:
        self._persist(partial(clear_queues, job_id, self._records), job_id)

    def _deliver(self, job_id: str, number: int) -> None:
        self._persist(partial(deliver, number, self._records, self._sender, self._schedule), job_id)

    def _wake(self, job_id: str, _version: int) -> None:
        self._persist(partial(wake, job_id, self._records), job_id)

    def _give_up(self, job_id: str, version: int) -> None:
        self._persist(partial(give_up_waiting, job_id, version, self._records), job_id)

    def _persist(self, task: Callable[[], None], job_id: str) -> None:
        """Run a task. Retries it as long as the database or the machine is in trouble, for example with a full disk."""
        with about_task(self._worker_id, job_id):
            while True:
                try:
                    task()
                except DATABASE_TROUBLE as error:
                    log.exception("database.trouble", error=cause_of(error))
                    self._postpone(error)
                except (MachineTrouble, MemoryError, OSError, RuntimeError) as error:
                    trouble = error if isinstance(error, MachineTrouble) else shortage_in(error)
                    if trouble is None:
                        raise
                    log.exception("machine.trouble", error=trouble.message)
                    self._postpone(error)
                else:
                    return

    def _postpone(self, error: Exception) -> None:
        if self.watch.wait(RETRY_SEC):
            raise WorkInterrupted("The worker stops.") from error
        RETRIES.labels(Retry.TASK).inc()

    def _try(self, work: Callable[[Job, int], None], job_id: str, number: int) -> None:
        """Work on a job. Its errors do not affect other jobs. For an ended job, nothing new starts."""
        with self._records.transaction() as connection:
            job = find_job(connection, job_id)
        if job is None or (job.is_final and work != self._work_shard):
            return
        with about_job(job):
            self._work(work, job, number)

    def _work(self, work: Callable[[Job, int], None], job: Job, number: int) -> None:
        try:
            work(job, number)
        except ShardTaken:
            raise  # another worker ends its task
        except MachineTrouble as trouble:
            self._give_back(work, job, number, trouble)
        except WorkInterrupted:
            if self.watch.draining:
                self._keep_until_stopped()
        except DATABASE_TROUBLE:
            raise
        except (JobError, StorageError, UsageError) as error:
            fail_job(job, error, self._records)
        except Exception as error:
            want = shortage_in(error)
            if want is None:
                log.exception("task.mistake", number=number)
                fail_job(job, InternalError("Internal error; the worker's log has the details."), self._records)
                raise
            self._give_back(work, job, number, want)

    def _give_back(self, work: Callable[[Job, int], None], job: Job, number: int, trouble: MachineTrouble) -> NoReturn:
        """Requeue a shard for other workers, or for this process once its machine has recovered.

        This process takes no shards until then. Any other task stays with this process, which retries it.
        """
        if work != self._work_shard:
            raise trouble
        self.health.report(trouble)
        self._records.flow.give_back(Task(SHARD, job.job_id, number, lane=job.lane, engine=job.engine).queue)
        raise WorkInterrupted(trouble.message) from trouble

    def _is_live(self, job_number: int) -> bool:
        """Return whether the job is live. True if the database is unavailable, so that finished work is not lost."""
        try:
            with self._records.transaction() as connection:
                return is_live(connection, job_number)
        except DATABASE_TROUBLE:
            return True

    def _enumerate(self, job: Job, _number: int) -> None:
        rules = Rules(
            speed=job.speed,
            max_files=self._settings.max_files,
            extra_formats=self._settings.extra_formats,
            announce_start=self._settings.webhook_processing,
        )
        keys = self._keys(job)
        enumerate_job(
            job,
            self._store(job, INPUT, keys),
            self._records,
            rules,
            check=partial(self.watch.check, job.number),
            check_output=lambda uri: check_output(uri, job, self._store(job, OUTPUT, keys)),
        )

    def _enumerate_until_listed(self, job: Job, number: int) -> None:
        """List a job. If storage does not answer, retry from the cursor for a minute, with increasing pauses.

        If credentials expire, continue from the cursor with fresh ones.
        """
        left = iter(LISTING_PAUSES_SEC)
        while True:
            try:
                self._enumerate(job, number)
            except StorageUnavailable as error:
                pause_sec = next(left, None)
                if pause_sec is None:
                    raise
                log.warning("listing.storage_unavailable", job_id=job.job_id, error=str(error))
                self.watch.pause(pause_sec, job.number)
                job, before = self._reread(job), job
                if job.cursor != before.cursor:  # progress since then: this is a new outage
                    left = iter(LISTING_PAUSES_SEC)
            except CredentialsExpired:
                job, before = self._reread(job), job
                keys = self._keys(job)
                if not keys.may_wait():
                    raise
                if keys.wait(LISTING, before.credentials_version):
                    return
            else:
                return

    def _reread(self, job: Job) -> Job:
        with self._records.transaction() as connection:
            return get_job(connection, job.job_id)

    def settle(self, job: Job) -> None:
        """Settle transcripts that a dead process was writing when the job ended. No other process may use the job."""
        with self._records.transaction() as connection:
            shards = {file.shard for file in files_being_written(connection, job.number) if file.shard is not None}
        for number in shards:
            settle_abandoned(job, number, self._records, self._look)

    def _look(self, file: File, job: Job) -> Outcome | None:
        with self._open_jobs.of(job) as context:
            return outcome_if_written(file, job, context)

    def _work_shard(self, job: Job, number: int) -> None:
        if job.is_final:
            settle_abandoned(job, number, self._records, self._look)
            return
        if self.watch.draining:
            self._keep_until_stopped()
        max_tries = self._settings.max_attempts
        with self._open_jobs.of(job) as context:
            shard = ShardContext(job, context, self._records, self._slots, self._max_deaths, max_tries)
            work_shard(shard, number)

    def _keep_until_stopped(self) -> NoReturn:
        """Keep a task recorded as running: ending it would lose it, and fetch the next one from the queue."""
        self.watch.wait(None)
        raise WorkInterrupted("The worker stops.")

    def _make_context(self, job: Job) -> JobContext:
        detect = job.config.detection_mode is not None
        choice = self._choose(job, detect=detect)
        keys = self._keys(job)
        source, output = self._store(job, INPUT, keys), self._store(job, OUTPUT, keys)
        register = FileRegister(job, self._records)
        return JobContext(
            input=source,
            output=output,
            decoder=self._decoder,
            speech=self._pool(choice.spec),
            choice=choice,
            watch=self.watch,
            in_hand=self.in_hand,
            naming=Naming(
                job.output.layout,
                look_in(output, job.output, job.config.formats),
                register,
                partial(has_recording, source.stat),
            ),
            health=self.health,
            keys=keys,
        )

    def _choose(self, job: Job, *, detect: bool) -> Choice:
        """Choose the engine. Raises `MachineTrouble` if it existed at the start and is gone, for example from disk."""
        try:
            return choose_engine(job.engine, job.config.language, self._settings, detect=detect)
        except EngineNotAvailable as error:
            if job.engine not in self._engines_at_start:
                raise
            raise MachineTrouble(error.message, part=job.engine) from error

    def _keys(self, job: Job) -> JobKeys:
        return JobKeys.open(job, self._records, wait_sec=self._credentials_wait_sec)

    def _store(self, job: Job, side: str, keys: JobKeys) -> Store:
        roots = (*roots_of(self._settings.file_roots, job.tenant), *(Path(root) for root in job.file_roots))
        urls = open_signed_urls(self._records, job) if side == INPUT else {}
        access = Access.from_settings(self._settings, file_roots=roots)
        return connect(replace(access, renewable=keys.of_side(side), signed_urls=urls, **job.s3))

    def _pool(self, spec: EngineSpec) -> SpeechPool:
        with self._pools_lock:
            if self.watch.stopping:
                raise WorkInterrupted("The worker stops.")
            if spec not in self._pools:
                self._pools[spec] = self._make_pool(spec, self._settings.engine_processes)
            return self._pools[spec]
