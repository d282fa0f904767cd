"""The adapter to DBOS: enqueue tasks in a transaction, run them, requeue, cancel and delete them.

Nothing else imports `dbos`. A process works in the lanes it is given, with the engines it has.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import groupby, islice

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from dbos import _dbos as engine_module
from dbos import error as engine_errors
from dbos._queue import queue_worker_thread

from batchscribe.errors import WorkInterrupted
from batchscribe.queue.dispatcher import Dispatcher, ServedQueue
from batchscribe.queue.running_tasks import RunningTasks
from batchscribe.queue.tasks import QUEUES, SHARD, Held, QueueKind, Task, kinds_of, queue_name, queues
from batchscribe.queue.vital_thread import Died

APPLICATION = "batchscribe"
#: Constant: by default DBOS hashes the code, and a worker of another release would not take the tasks.
APPLICATION_VERSION = "batchscribe-1"
#: Shards at once in a process are this many times those of one tenant, so no tenant ever has all of them.
TENANTS_AT_ONCE = 2
STOP_SEC = 5.0  #: that handlers get to see that their process stops
SWEPT_AFTER_SEC = 60.0  #: how long the engine keeps the row of an ended task
BATCH = 1000  #: task ids in one statement

ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")  #: as the engine calls it


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How many tasks of a queue may run at once. Where there are those of a tenant, tenants take turns."""

    of_process: int
    of_tenant: int | None = None  #: in a process
    of_tenant_in_all: int | None = None  #: in all processes together


#: Of the queues whose tasks are short. Those of shards depend on the machine.
LIMITS = {
    QueueKind.CONTROL: QueueLimits(of_process=4),
    QueueKind.LISTINGS: QueueLimits(of_process=4, of_tenant=2),
    QueueKind.WEBHOOKS: QueueLimits(of_process=16, of_tenant=4),
}

EXPECTED = (engine_errors.DBOSNonExistentWorkflowError, engine_errors.DBOSAwaitedWorkflowCancelledError)

Handler = Callable[[str, int], None]
_handlers: dict[str, Handler] = {}
_running = RunningTasks()
_stopping = threading.Event()


def _register(kind: str) -> None:
    @DBOS.workflow(name=kind, max_recovery_attempts=None)
    def run(job_id: str, number: int) -> None:
        _work(kind, job_id, number)


for each in QUEUES:
    _register(each)


def _work(kind: str, job_id: str, number: int) -> None:
    # `SystemExit` is not an `Exception`, so the engine records no end: the task stays on record as running, and is
    # handed on just as after a crash.
    if _stopping.is_set():
        raise SystemExit
    with _running.counted(str(DBOS.workflow_id), kind):
        try:
            _handlers[kind](job_id, number)
        except WorkInterrupted:
            raise SystemExit from None


def _return_at_once(*_: object) -> None:
    """Takes the place of threads of the engine that poll: queues, delayed tasks and time limits, and schedules."""


# Nothing public turns them off. `Dispatcher` sees to the queues and the delayed tasks; we have none of the rest.
vars(engine_module).update(
    queue_thread=_return_at_once, background_jobs_thread=_return_at_once, dynamic_scheduler_loop=_return_at_once
)


def _is_news(record: logging.LogRecord) -> bool:
    """Whoever ends a job cancels and forgets its tasks, also those under way: that these find so is no trouble."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, EXPECTED)


class Flow:
    """Enqueues, cancels and forgets tasks; after `run` this process also works them off."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._dispatcher: Dispatcher | None = None

    @cached_property
    def _client(self) -> DBOSClient:
        return DBOSClient(system_database_engine=self._engine)

    def prepare(self) -> None:
        """Make the engine's tables, or bring them up to date."""
        DBOS.migrate(self._url)

    @property
    def _url(self) -> str:
        return self._engine.url.render_as_string(hide_password=False)

    def run(
        self,
        handlers: dict[str, Handler],
        *,
        executor_id: str,
        lanes: Sequence[str],
        engines: Sequence[str],
        slots: int,
        tenant_slots: int | None = None,
        is_fit_for: Callable[[str], bool] = lambda _engine: True,
        died: Died = lambda _thread: None,
    ) -> None:
        """Work: at most `slots` shards of a tenant at a time, and `tenant_slots` in all processes.

        `handlers` maps a kind of task to a function of (job id, number) that can be repeated safely. If it raises
        `WorkInterrupted`, its task stays on record as running. Tasks that an earlier process with the same id left are
        resumed. While `is_fit_for` returns False, shards of that engine are not taken. `died` is called when a thread
        ends unexpectedly; see `Dispatcher`.
        """
        _handlers.update(handlers)
        _stopping.clear()
        dbos = self._configure(executor_id)
        DBOS.launch()
        served = [queue for lane in lanes for queue in _queues_of_lane(dbos, lane)]
        limits = QueueLimits(
            of_process=slots * TENANTS_AT_ONCE,
            of_tenant=slots if tenant_slots is None else min(slots, tenant_slots),
            of_tenant_in_all=tenant_slots,
        )
        for lane in lanes:
            served += [
                _served(
                    dbos, queue_name(lane, QueueKind.FILES, engine), limits, SHARD, is_open=partial(is_fit_for, engine)
                )
                for engine in engines
            ]
        enqueue_due = dbos._sys_db.transition_delayed_workflows  # noqa: SLF001
        self._dispatcher = Dispatcher(self._engine, served, running=_running, enqueue_due=enqueue_due, died=died)
        self._dispatcher.start()

    def _configure(self, executor_id: str) -> DBOS:
        logging.getLogger("dbos").addFilter(_is_news)
        return DBOS(
            config=DBOSConfig(
                name=APPLICATION,
                system_database_url=self._url,
                system_database_engine=self._engine,
                application_version=APPLICATION_VERSION,
                executor_id=executor_id,
                run_migrations=self._engine.dialect.name == "sqlite",
                use_listen_notify=False,
                log_level="ERROR",
            )
        )

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

    def held(self, *, executor_id: str | None = None) -> list[Held]:
        """What is on record as running, of one process or of all."""
        found = self._client.list_workflows(
            status="PENDING", executor_id=executor_id, load_input=False, load_output=False
        )
        return [Held(each.workflow_id, each.executor_id or "", each.queue_name or "") for each in found]

    def hand_on(self, tasks: Iterable[Held]) -> None:
        """Put tasks back into their queues for whoever is free: the process that had them has ended.

        One that was forgotten meanwhile stays so.
        """
        by_queue = sorted(tasks, key=lambda task: task.queue)
        for queue, group in groupby(by_queue, key=lambda task: task.queue):
            for batch in batched([task.task_id for task in group], BATCH):
                self._resume(batch, queue)

    def _resume(self, task_ids: Sequence[str], queue: str) -> None:
        try:
            self._client.resume_workflows(list(task_ids), queue_name=queue)
        except engine_errors.DBOSNonExistentWorkflowError:  # then the engine resumes none of them
            if len(task_ids) > 1:
                for task_id in task_ids:
                    self._resume([task_id], queue)

    def give_back(self, queue: str) -> None:
        """Put the task of this thread back into its queue, for whoever can do it. Its handler then raises
        `WorkInterrupted`.
        """
        self._resume([str(DBOS.workflow_id)], queue)

    @staticmethod
    def is_running(task: Held) -> bool:
        """Whether this process works on the task, rather than only being on record for it."""
        return task.task_id in _running

    def forget_lane(self, lane: str, engines: Iterable[str]) -> None:
        """Delete the queues of a lane that nobody will use again."""
        for queue in queues(lane, engines):
            self._client.delete_queue(queue)

    def stop(self) -> None:
        """Stop taking tasks. Running ones stay on record, for `hand_on` or for the next `run` under the same id."""
        _stopping.set()
        if self._dispatcher is not None:  # before the engine, which has no place for what is taken after its end
            self._dispatcher.stop(STOP_SEC)
        deadline = time.monotonic() + STOP_SEC
        while _running and time.monotonic() < deadline:  # the engine has no place for a task that ends after it
            time.sleep(0.01)
        DBOS.destroy()


def _queues_of_lane(dbos: DBOS, lane: str) -> list[ServedQueue]:
    """All but those of its shards."""
    return [_served(dbos, queue_name(lane, kind), limits, *kinds_of(kind)) for kind, limits in LIMITS.items()]


def _served(
    dbos: DBOS, name: str, limits: QueueLimits, *kinds: str, is_open: Callable[[], bool] = lambda: True
) -> ServedQueue:
    """A queue of tasks of these kinds, from which this process takes as many as its own limits say.

    The engine keeps limits in the database, one set for all processes, and reads them again whenever it takes tasks:
    the last machine to start would have its number of cores imposed on all others. Nothing public changes that.
    """
    queue = DBOS.register_queue(
        name,
        worker_concurrency=limits.of_process,
        partition_worker_concurrency=limits.of_tenant,
        partition_concurrency=limits.of_tenant_in_all,
    )
    queue.database_backed_queue = False
    queue._worker_concurrency = limits.of_process  # noqa: SLF001
    queue._partition_worker_concurrency = limits.of_tenant  # noqa: SLF001
    queue._partition_concurrency = limits.of_tenant_in_all  # noqa: SLF001
    return ServedQueue(
        name=name,
        take_tasks=lambda event: queue_worker_thread(event, dbos, queue),
        has_room=lambda: _running.of_kinds(*kinds) < (limits.of_tenant or limits.of_process),
        is_open=is_open,
    )


def batched(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(ids)
    while batch := list(islice(iterator, size)):
        yield batch
