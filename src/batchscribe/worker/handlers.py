"""The handlers of the durable tasks: what this process does for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import NoReturn

import structlog

from batchscribe.database.connect import RETRY_SEC
from batchscribe.database.file_rows import files_being_written
from batchscribe.database.job_rows import get_job
from batchscribe.database.waiting_rows import LISTING
from batchscribe.errors import CredentialsExpired, MachineTrouble, ModelElsewhere, StorageUnavailable, WorkInterrupted
from batchscribe.jobs.model import File, Job, Outcome
from batchscribe.queue.records import Records
from batchscribe.queue.task_queue import Handler
from batchscribe.queue.tasks import CLEAR, DELIVER, ENUMERATE, FINISH, GIVE_UP, PURGE, RETRY, SHARD, WAKE, Task
from batchscribe.settings import Settings
from batchscribe.stages.deliver import Schedule, deliver
from batchscribe.stages.engine_choice import bind_engine, is_unbound
from batchscribe.stages.enumerate_files import enumerate_job
from batchscribe.stages.existing_output import check_output
from batchscribe.stages.finish import clear_queues, finish_job
from batchscribe.stages.job_context import JobWatch
from batchscribe.stages.job_keys import give_up_waiting, wake
from batchscribe.stages.page_plan import Rules
from batchscribe.stages.purge import purge_job
from batchscribe.stages.retry import requeue_failed
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT
from batchscribe.stages.settle import settle_abandoned
from batchscribe.stages.slots import Slots
from batchscribe.webhooks.payload import WebhookSender
from batchscribe.worker.hooks import (
    JobHandler,
    keep_until_stopped,
    retry_here,
    with_job,
    with_log_fields,
    with_outcome,
    with_readable_job,
    with_retries,
)
from batchscribe.worker.job_access import JobAccess
from batchscribe.worker.machine_health import MachineHealth
from batchscribe.worker.open_jobs import OpenJobs

log = structlog.get_logger()

#: Pauses between attempts to list a source whose storage does not answer.
LISTING_PAUSES_SEC = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


class Handlers:
    """The handlers of one process, over what its tasks share."""

    def __init__(
        self,
        records: Records,
        settings: Settings,
        *,
        watch: JobWatch,
        health: MachineHealth,
        access: JobAccess,
        open_jobs: OpenJobs,
        slots: Slots,
        max_deaths: int,
    ) -> None:
        self._records = records
        self._settings = settings
        self._watch = watch
        self._health = health
        self._access = access
        self._open_jobs = open_jobs
        self._slots = slots
        self._max_deaths = max_deaths
        self._schedule = Schedule(settings.webhook_first_retry_sec, settings.webhook_give_up_sec)

    @cached_property
    def _sender(self) -> WebhookSender:
        """Loaded for the first webhook, with its HTTP client."""
        from batchscribe.outbound.policy import Policy
        from batchscribe.webhooks.sender import Sender

        return Sender(Policy.from_settings(self._settings))

    def by_kind(self, worker_id: str) -> dict[str, Handler]:
        """Return the handler of each kind of task, with its hooks."""
        records = self._records
        handlers: Mapping[str, Handler] = {
            ENUMERATE: self._with_job(self._list_files),
            SHARD: with_job(
                with_outcome(self._work_shard, records, self._watch, self._give_back), records, even_if_ended=True
            ),
            FINISH: self._with_job(lambda job, number: finish_job(job, number, records)),
            CLEAR: with_job(lambda job, _: clear_queues(job, records), records, even_if_ended=True),
            DELIVER: lambda _, number: deliver(number, records, self._sender, self._schedule),
            WAKE: lambda job_id, _: wake(job_id, records),
            GIVE_UP: lambda job_id, version: give_up_waiting(job_id, version, records),
            RETRY: self._with_job(self._requeue_failed),
            PURGE: with_job(with_outcome(self._purge, records, self._watch, retry_here), records, even_if_ended=True),
        }
        readable = {kind: with_readable_job(handler, records, self._watch) for kind, handler in handlers.items()}
        return {
            kind: with_log_fields(with_retries(handler, self._watch), worker_id) for kind, handler in readable.items()
        }

    def _with_job(self, handler: JobHandler) -> Handler:
        return with_job(with_outcome(handler, self._records, self._watch, retry_here), self._records)

    def _list_files(self, job: Job, _number: int) -> None:
        """List a job, after its engine is chosen. If storage does not answer, retry from the cursor for a minute, with
        increasing pauses. If credentials expire, continue from the cursor with fresh ones.
        """
        if self._settings.is_fleet and is_unbound(job):
            job = self._bind(job)
        left = iter(LISTING_PAUSES_SEC)
        while True:
            try:
                self._enumerate(job)
            except StorageUnavailable as error:
                pause_sec = next(left, None)
                if pause_sec is None:
                    raise
                log.warning("listing.storage_unavailable", job_id=job.job_id, error=str(error))
                self._watch.pause(pause_sec, job.number)
                job, before = self._reread(job), job
                if job.cursor != before.cursor:  # progress since then: this is a new outage
                    left = iter(LISTING_PAUSES_SEC)
            except CredentialsExpired:
                job, before = self._reread(job), job
                keys = self._access.open_keys(job)
                if not keys.may_wait():
                    raise
                if keys.wait(LISTING, before.credentials_version):
                    return
            else:
                return

    def _bind(self, job: Job) -> Job:
        while (bound := bind_engine(job, self._records, silent_sec=self._settings.silent_sec)) is None:
            self._watch.pause(RETRY_SEC, job.number)
        return bound

    def _requeue_failed(self, job: Job, number: int) -> None:
        requeue_failed(job, number, self._records, check=partial(self._watch.check, job.number))

    def _purge(self, job: Job, _number: int) -> None:
        def check() -> None:
            if self._watch.draining:
                raise WorkInterrupted("The worker is about to stop.")

        purge_job(job, self._records, check)

    def _enumerate(self, job: Job) -> None:
        rules = Rules(
            speed=job.speed,
            max_files=self._settings.max_files,
            input_formats=self._settings.input_formats,
            announce_start=self._settings.webhook_processing,
        )
        keys = self._access.open_keys(job)
        enumerate_job(
            job,
            self._access.connect(job, INPUT, keys),
            self._records,
            rules,
            check=partial(self._watch.check, job.number),
            check_output=lambda uri: check_output(uri, job, self._access.connect(job, OUTPUT, keys)),
        )

    def _reread(self, job: Job) -> Job:
        with self._records.transaction() as connection:
            return get_job(connection, job.job_id)

    def _work_shard(self, job: Job, number: int) -> None:
        if job.is_final:
            settle_abandoned(job, number, self._records, self._look)
            return
        if self._watch.draining:
            keep_until_stopped(self._watch)
        from batchscribe.stages.shard import work_shard  # with all that turns a recording into a transcript
        from batchscribe.stages.shard_context import ShardContext

        max_tries = self._settings.max_attempts
        with self._open_jobs.of(job) as context:
            shard = ShardContext(job, context, self._records, self._slots, self._max_deaths, max_tries)
            work_shard(shard, number)

    def _give_back(self, job: Job, number: int, trouble: MachineTrouble) -> NoReturn:
        """Requeue a shard for other workers, or for this process once its machine has recovered.

        This process takes no shards until then, unless it only lacks the job's model.
        """
        if not isinstance(trouble, ModelElsewhere):
            self._health.report(trouble)
        self._records.flow.give_back(Task(SHARD, job.job_id, number, lane=job.lane, engine=job.queue_key).queue)
        raise WorkInterrupted(trouble.message) from trouble

    def settle(self, job: Job) -> None:
        """Settle transcripts that a dead process was writing when the job ended. No other process may use the job."""
        with self._records.transaction() as connection:
            shards = {file.shard for file in files_being_written(connection, job.number) if file.shard is not None}
        for number in shards:
            settle_abandoned(job, number, self._records, self._look)

    def _look(self, file: File, job: Job) -> Outcome | None:
        from batchscribe.stages.transcribe_file import outcome_if_written

        with self._open_jobs.of(job) as context:
            return outcome_if_written(file, job, context)
