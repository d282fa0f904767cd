"""The adapter to DBOS, the durable engine: enqueue in a transaction, run, cancel, forget.

Nothing else imports `dbos`. A task is (kind, job, number) with a derived id, so enqueueing it twice is once.
A *lane* is a set of queues: `<lane>-control` for enumerate and finish, `<lane>-files` for shards, `<lane>-webhooks` for
deliveries, so that a job can always be listed and ended while shards hold every slot, and a receiver that does not
answer holds up nobody else. A process works in the lanes it is given.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from dbos import error as engine_errors

from batchscribe.errors import WorkInterrupted

APPLICATION = "batchscribe"
#: Constant: by default DBOS hashes the code, and a worker of another release would not take the tasks.
APPLICATION_VERSION = "batchscribe-1"
#: Constant for one-process work: a restarted process finds its predecessor's tasks under the same name.
EMBEDDED_EXECUTOR = "embedded"
POLL_SEC = 0.2  #: 3 % of a core when idle (measured)
CONTROL_SLOTS = 4  #: enumerations and finishes at once in a process
WEBHOOK_SLOTS = 16  #: webhooks at once in a process
WEBHOOK_SLOTS_OF_TENANT = 4  #: of them, those of one tenant
SWEPT_AFTER_SEC = 60.0  #: how long the engine keeps the row of an ended task
BATCH = 1000  #: task ids in one statement

ENUMERATE, SHARD, FINISH, CLEAR, DELIVER = "enumerate", "shard", "finish", "clear", "deliver"
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")  #: as the engine calls it


@dataclass(frozen=True, slots=True)
class Task:
    """One durable task. `priority`: smaller goes first; a shard's is its number, so new jobs overtake big ones."""

    kind: str
    job_id: str
    number: int = 0
    lane: str = "main"
    tenant: str = "default"
    attempt: int = 0  #: of a delivery: each one is a task of its own

    @property
    def task_id(self) -> str:
        match self.kind:
            case "shard":
                return f"{self.job_id}-{self.number}"
            case "deliver":
                return f"{self.kind}-{self.job_id}-{self.number}-{self.attempt}"
        return f"{self.kind}-{self.job_id}"

    @property
    def queue(self) -> str:
        return {SHARD: files_queue, DELIVER: webhooks_queue}.get(self.kind, control_queue)(self.lane)

    @property
    def is_partitioned(self) -> bool:
        """Whether tenants take turns in its queue."""
        return self.kind in (SHARD, DELIVER)

    @property
    def priority(self) -> int:
        return self.number + 1


def files_queue(lane: str) -> str:
    return f"{lane}-files"


def control_queue(lane: str) -> str:
    return f"{lane}-control"


def webhooks_queue(lane: str) -> str:
    return f"{lane}-webhooks"


def queues(lane: str) -> tuple[str, ...]:
    return control_queue(lane), files_queue(lane), webhooks_queue(lane)


EXPECTED = (engine_errors.DBOSNonExistentWorkflowError, engine_errors.DBOSAwaitedWorkflowCancelledError)

Handler = Callable[[str, int], None]
_handlers: dict[str, Handler] = {}


@DBOS.workflow(name=ENUMERATE, max_recovery_attempts=None)
def _enumerate(job_id: str, number: int) -> None:
    _work(ENUMERATE, job_id, number)


@DBOS.workflow(name=SHARD, max_recovery_attempts=None)
def _shard(job_id: str, number: int) -> None:
    _work(SHARD, job_id, number)


@DBOS.workflow(name=FINISH, max_recovery_attempts=None)
def _finish(job_id: str, number: int) -> None:
    _work(FINISH, job_id, number)


@DBOS.workflow(name=CLEAR, max_recovery_attempts=None)
def _clear(job_id: str, number: int) -> None:
    _work(CLEAR, job_id, number)


@DBOS.workflow(name=DELIVER, max_recovery_attempts=None)
def _deliver(job_id: str, number: int) -> None:
    _work(DELIVER, job_id, number)


def _work(kind: str, job_id: str, number: int) -> None:
    try:
        _handlers[kind](job_id, number)
    except WorkInterrupted:
        # Not an `Exception`, so the engine records no end: the task stays on record as running, and the next `run`
        # takes it up just as after a crash.
        raise SystemExit from None


def _is_news(record: logging.LogRecord) -> bool:
    """Whoever ends a job cancels and forgets its tasks, also those under way: that these find so is no trouble."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, EXPECTED)


class Flow:
    """Enqueues, cancels and forgets tasks; after `run` this process also works them off."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @cached_property
    def _client(self) -> DBOSClient:
        return DBOSClient(system_database_engine=self._engine)

    def prepare(self) -> None:
        """Make the engine's tables, for a process that only enqueues; `run` does so itself."""
        DBOS.migrate(self._url)

    @property
    def _url(self) -> str:
        return self._engine.url.render_as_string(hide_password=False)

    def run(self, handlers: dict[str, Handler], *, lanes: Sequence[str], slots: int) -> None:
        """Take up what a dead predecessor left, then work; at most `slots` shards at a time in each lane.

        `handlers` maps a task's kind to a function of (job id, number), which must bear being run again. One
        that raises `WorkInterrupted` stays on record as running.
        """
        _handlers.update(handlers)
        self._configure()
        DBOS.listen_queues([queue for lane in lanes for queue in queues(lane)])
        DBOS.launch()
        for lane in lanes:
            DBOS.register_queue(control_queue(lane), worker_concurrency=CONTROL_SLOTS, polling_interval_sec=POLL_SEC)
            DBOS.register_queue(
                files_queue(lane),
                worker_concurrency=slots,
                partition_worker_concurrency=slots,  # makes it partitioned: each poll picks a tenant at random
                polling_interval_sec=POLL_SEC,
            )
            DBOS.register_queue(
                webhooks_queue(lane),
                worker_concurrency=WEBHOOK_SLOTS,
                partition_worker_concurrency=WEBHOOK_SLOTS_OF_TENANT,
                polling_interval_sec=POLL_SEC,
            )

    def _configure(self) -> None:
        DBOS(
            config=DBOSConfig(
                name=APPLICATION,
                system_database_url=self._url,
                system_database_engine=self._engine,
                application_version=APPLICATION_VERSION,
                executor_id=EMBEDDED_EXECUTOR,
                use_listen_notify=False,
                log_level="ERROR",
            )
        )
        logging.getLogger("dbos").addFilter(_is_news)

    def enqueue(self, connection: sa.Connection, task: Task, *, delay_sec: float = 0.0) -> None:
        """Enqueue inside the caller's transaction; a task that is already there stays as it is.

        It does not run before `delay_sec` have passed.
        """
        options: EnqueueOptions = {
            "workflow_name": task.kind,
            "workflow_id": task.task_id,
            "queue_name": task.queue,
            "app_version": APPLICATION_VERSION,
            "priority": task.priority,
        }
        if task.is_partitioned:
            options["queue_partition_key"] = task.tenant
        if delay_sec:
            options["delay_seconds"] = delay_sec
        self._client.enqueue_in_transaction(connection, options, task.job_id, task.number)

    def cancel(self, tasks: Iterable[Task]) -> None:
        """Take queued tasks out of their queues; a running one goes on until it looks at its job."""
        for batch in batched([task.task_id for task in tasks], BATCH):
            self._client.cancel_workflows(batch)

    def forget(self, tasks: Iterable[Task]) -> None:
        """Delete the engine's rows of these tasks."""
        for batch in batched([task.task_id for task in tasks], BATCH):
            self._client.delete_workflows(batch)

    def sweep(self) -> None:
        """Delete the engine's rows of all tasks that ended a while ago: the truth is in ours."""
        before = datetime.fromtimestamp(time.time() - SWEPT_AFTER_SEC, UTC).isoformat()
        while ended := self._client.list_workflows(
            status=list(ENDED), completed_before=before, limit=BATCH, load_input=False, load_output=False
        ):
            self._client.delete_workflows([workflow.workflow_id for workflow in ended])

    def forget_lane(self, lane: str) -> None:
        """Delete the queues of a lane that nobody will use again."""
        for queue in queues(lane):
            self._client.delete_queue(queue)

    def stop(self) -> None:
        """Stop taking tasks. Running ones stay on record and are taken up by the next `run`."""
        DBOS.destroy()


def batched(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(ids)
    while batch := list(islice(iterator, size)):
        yield batch
