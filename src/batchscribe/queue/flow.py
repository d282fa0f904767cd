"""The adapter to DBOS: enqueue tasks in a transaction, run them, requeue, cancel and delete them.

No other module imports `dbos`. A process works in the given lanes, with the given engines.
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

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from dbos import _dbos as dbos_module
from dbos import error as dbos_errors
from dbos._event_loop import BackgroundEventLoop
from dbos._queue import queue_worker_thread

from batchscribe.database.connect import Connection, Database
from batchscribe.errors import WorkInterrupted
from batchscribe.queue.dispatcher import Dispatcher, ServedQueue
from batchscribe.queue.running_tasks import RunningTasks
from batchscribe.queue.task_queue import Handler
from batchscribe.queue.tasks import (
    QUEUES,
    SHARD,
    QueueKind,
    TakenTask,
    Task,
    kinds_of,
    prefixes_of_ids,
    queue_name,
    queues,
)
from batchscribe.queue.vital_thread import Died

APPLICATION = "batchscribe"
#: Constant. By default, DBOS hashes the code, and a worker of another release would not take the tasks.
APPLICATION_VERSION = "batchscribe-1"
#: A process runs up to this many times the shards that one tenant may run in it. So no tenant can occupy all of it.
TENANTS_AT_ONCE = 2
STOP_SEC = 5.0  #: time for handlers to notice that their process stops
SWEPT_AFTER_SEC = 60.0  #: how long DBOS keeps the row of an ended task
BATCH = 1000  #: task ids in one statement

ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")  #: final states in DBOS


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """Limits on the tasks of a queue that run at the same time. If there is a limit per tenant, tenants take turns."""

    of_process: int
    of_tenant: int | None = None  #: in a process
    of_tenant_in_all: int | None = None  #: in all processes together


#: Limits of the queues with short tasks. The limits of shards depend on the machine.
LIMITS = {
    QueueKind.CONTROL: QueueLimits(of_process=4),
    QueueKind.LISTINGS: QueueLimits(of_process=4, of_tenant=2),
    QueueKind.WEBHOOKS: QueueLimits(of_process=16, of_tenant=4),
    QueueKind.MAINTENANCE: QueueLimits(of_process=4, of_tenant=2),
}

EXPECTED = (dbos_errors.DBOSNonExistentWorkflowError, dbos_errors.DBOSAwaitedWorkflowCancelledError)

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
    # DBOS records no end for `SystemExit`, which is not an `Exception`. The task stays recorded as running, and is
    # requeued as after a crash.
    if _stopping.is_set():
        raise SystemExit
    with _running.count(str(DBOS.workflow_id), kind):
        try:
            _handlers[kind](job_id, number)
        except WorkInterrupted:
            raise SystemExit from None


def _return_at_once(*_: object) -> None:
    """Do nothing, in place of the DBOS threads that poll for queues, delayed tasks, time limits and schedules."""


# DBOS has no public option to disable them. `Dispatcher` handles queues and delayed tasks; the rest is not used.
vars(dbos_module).update(
    queue_thread=_return_at_once, background_jobs_thread=_return_at_once, dynamic_scheduler_loop=_return_at_once
)


_run_event_loop = BackgroundEventLoop._run_event_loop  # noqa: SLF001
_loop_errors: list[OSError] = []


def _run_event_loop_or_tell(loop: BackgroundEventLoop) -> None:
    """Run the event loop of DBOS. `launch` waits until it is ready, even if it cannot start: then forever."""
    try:
        _run_event_loop(loop)
    except OSError as error:
        _loop_errors.append(error)
    finally:
        loop._ready.set()  # noqa: SLF001


setattr(BackgroundEventLoop, "_run_event_loop", _run_event_loop_or_tell)  # noqa: B010 (mypy refuses an assignment)


def _launch() -> None:
    """Launch DBOS. Raises the `OSError` that keeps its event loop from starting, such as a lack of descriptors."""
    _loop_errors.clear()
    DBOS.launch()
    if _loop_errors:
        raise _loop_errors.pop()


def prepare_log() -> None:
    """Leave the log of DBOS to the handlers of the process: without a handler, DBOS would add its own."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Filter out expected errors: the end of a job cancels and deletes its tasks, even while they run."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, EXPECTED)


class Flow:
    """The durable queue: enqueues, cancels and deletes tasks. After `run`, this process also runs them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dispatcher: Dispatcher | None = None

    @cached_property
    def _client(self) -> DBOSClient:
        return DBOSClient(system_database_engine=self._database)

    def prepare(self) -> None:
        """Create or upgrade the tables of DBOS."""
        DBOS.migrate(self._url)

    @property
    def _url(self) -> str:
        return self._database.url.render_as_string(hide_password=False)

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
        """Start to run tasks: at most `slots` shards of a tenant here, and at most `tenant_slots` in all processes.

        `handlers` maps a kind of task to a function of (job id, number) that is safe to repeat. If it raises
        `WorkInterrupted`, its task stays recorded as running. Tasks that an earlier process with the same id left are
        resumed. While `is_fit_for` returns False, shards of that engine are not taken. `died` is called when a thread
        ends unexpectedly; see `Dispatcher`. Raises `OSError` if the machine lacks a resource.
        """
        _handlers.update(handlers)
        _stopping.clear()
        dbos = self._configure(executor_id)
        _launch()
        served = [queue for lane in lanes for queue in _queues_of_lane(dbos, lane)]
        limits = QueueLimits(
            of_process=slots * TENANTS_AT_ONCE,
            of_tenant=slots if tenant_slots is None else min(slots, tenant_slots),
            of_tenant_in_all=tenant_slots,
        )
        for lane in lanes:
            served += [
                _serve_queue(
                    dbos, queue_name(lane, QueueKind.FILES, engine), limits, SHARD, is_open=partial(is_fit_for, engine)
                )
                for engine in engines
            ]
        enqueue_due = dbos._sys_db.transition_delayed_workflows  # noqa: SLF001
        self._dispatcher = Dispatcher(self._database, served, running=_running, enqueue_due=enqueue_due, died=died)
        self._dispatcher.start()

    def _configure(self, executor_id: str) -> DBOS:
        prepare_log()
        return DBOS(
            config=DBOSConfig(
                name=APPLICATION,
                system_database_url=self._url,
                system_database_engine=self._database,
                application_version=APPLICATION_VERSION,
                executor_id=executor_id,
                run_migrations=self._database.dialect.name == "sqlite",
                use_listen_notify=False,
                log_level="ERROR",
            )
        )

    def enqueue(self, connection: Connection, task: Task, *, delay_sec: float = 0.0) -> None:
        """Enqueue a task in the caller's transaction. An existing task is left unchanged.

        The task does not run before `delay_sec` have passed.
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
        """Remove queued tasks from their queues. A running task continues until it checks its job."""
        for batch in split_into_batches([task.task_id for task in tasks], BATCH):
            self._client.cancel_workflows(batch)

    def forget(self, tasks: Iterable[Task]) -> None:
        """Delete the DBOS rows of these tasks."""
        for batch in split_into_batches([task.task_id for task in tasks], BATCH):
            self._client.delete_workflows(batch)

    def forget_all_tasks(self, job_id: str) -> None:
        """Delete the DBOS rows of all tasks of a job. No other process may work on it."""
        prefixes = prefixes_of_ids(job_id)
        while found := self._client.list_workflows(
            workflow_id_prefix=prefixes, limit=BATCH, load_input=False, load_output=False
        ):
            self._client.delete_workflows([workflow.workflow_id for workflow in found])

    def sweep(self) -> None:
        """Delete the DBOS rows of all tasks that ended a while ago: batchscribe's own tables are authoritative."""
        before = datetime.fromtimestamp(time.time() - SWEPT_AFTER_SEC, UTC).isoformat()
        while ended := self._client.list_workflows(
            status=list(ENDED), completed_before=before, limit=BATCH, load_input=False, load_output=False
        ):
            self._client.delete_workflows([workflow.workflow_id for workflow in ended])

    def list_taken(self, *, executor_id: str | None = None) -> list[TakenTask]:
        """Return the tasks recorded as running, of one process or of all."""
        found = self._client.list_workflows(
            status="PENDING", executor_id=executor_id, load_input=False, load_output=False
        )
        return [TakenTask(each.workflow_id, each.executor_id or "", each.queue_name or "") for each in found]

    def hand_on(self, tasks: Iterable[TakenTask]) -> None:
        """Requeue the tasks of a process that has ended.

        A task that was deleted meanwhile stays deleted.
        """
        by_queue = sorted(tasks, key=lambda task: task.queue)
        for queue, group in groupby(by_queue, key=lambda task: task.queue):
            for batch in split_into_batches([task.task_id for task in group], BATCH):
                self._resume(batch, queue)

    def _resume(self, task_ids: Sequence[str], queue: str) -> None:
        try:
            self._client.resume_workflows(list(task_ids), queue_name=queue)
        except dbos_errors.DBOSNonExistentWorkflowError:  # then DBOS resumes none of them
            if len(task_ids) > 1:
                for task_id in task_ids:
                    self._resume([task_id], queue)

    def give_back(self, queue: str | None = None) -> None:
        """Requeue the task of this thread, by default into the queue from which it was taken.

        Its handler then raises `WorkInterrupted`.
        """
        task_id = str(DBOS.workflow_id)
        if queue is None:
            found = self._client.list_workflows(workflow_ids=[task_id], load_input=False, load_output=False)
            queue = next((each.queue_name for each in found), None)
        if queue is not None:  # otherwise, the task has been deleted meanwhile
            self._resume([task_id], queue)

    @staticmethod
    def is_running(task: TakenTask) -> bool:
        """Return whether this process really runs the task. DBOS may only have recorded so."""
        return task.task_id in _running

    def forget_lane(self, lane: str, engines: Iterable[str]) -> None:
        """Delete the queues of a lane that is no longer used."""
        for queue in queues(lane, engines):
            self._client.delete_queue(queue)

    def stop(self) -> None:
        """Stop taking tasks. Running tasks stay recorded, for `hand_on` or for the next `run` with the same id."""
        _stopping.set()
        if self._dispatcher is not None:  # before DBOS, which cannot handle tasks that are taken after its end
            self._dispatcher.stop(STOP_SEC)
        deadline = time.monotonic() + STOP_SEC
        while _running and time.monotonic() < deadline:  # DBOS cannot record a task that ends after it
            time.sleep(0.01)
        DBOS.destroy()


def _queues_of_lane(dbos: DBOS, lane: str) -> list[ServedQueue]:
    """Return all queues of a lane except those of shards."""
    return [_serve_queue(dbos, queue_name(lane, kind), limits, *kinds_of(kind)) for kind, limits in LIMITS.items()]


def _serve_queue(
    dbos: DBOS, name: str, limits: QueueLimits, *kinds: str, is_open: Callable[[], bool] = lambda: True
) -> ServedQueue:
    """Register a queue for these kinds of tasks, with the limits of this process.

    DBOS keeps one set of limits in the database for all processes, and reads it whenever it takes tasks. So the last
    machine to start would impose its number of cores on all others. DBOS has no public option to change that.
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


def split_into_batches(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(ids)
    while batch := list(islice(iterator, size)):
        yield batch
