"""The twin of the durable queue: one table, and tasks that run in the thread that asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from batchscribe.database.sealed import Keyring
from batchscribe.errors import WorkInterrupted
from batchscribe.queue.records import Records
from batchscribe.queue.task_queue import Handler
from batchscribe.queue.tasks import TakenTask, Task, prefixes_of_ids, queues

QUEUED, TAKEN, ENDED, CANCELED = "queued", "taken", "ended", "canceled"

tables = sa.MetaData()
task_row = sa.Table(
    "twin_task",
    tables,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("task_id", sa.String, unique=True),
    sa.Column("kind", sa.String),
    sa.Column("job_id", sa.String),
    sa.Column("job_part", sa.Integer),
    sa.Column("queue", sa.String),
    sa.Column("priority", sa.Integer),
    sa.Column("due_at", sa.Double),
    sa.Column("state", sa.String),
    sa.Column("executor_id", sa.String),
)
row = task_row.c


class QueueTwin:
    """A queue for one thread. A task is enqueued in the caller's transaction, as in the real queue.

    `work` runs all tasks that are due by the clock.
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = lambda: 0.0) -> None:
        self._engine = engine
        self._clock = clock
        self._handlers: dict[str, Handler] = {}
        self._executor_id = ""
        self._queues: tuple[str, ...] = ()
        self._running: str | None = None
        self.prepare()

    def prepare(self) -> None:
        tables.create_all(self._engine)

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
        died: Callable[[str], None] = lambda _thread: None,
    ) -> None:
        self._handlers, self._executor_id = handlers, executor_id
        fit = [engine for engine in engines if is_fit_for(engine)]
        self._queues = tuple(name for lane in lanes for name in queues(lane, fit))
        self.hand_on(self.list_taken(executor_id=executor_id))

    def work(self) -> None:
        """Run the tasks that are due, and those that they enqueue, until none is left."""
        while (task := self._take()) is not None:
            self._running = task.task_id
            try:
                self._handlers[task.kind](task.job_id, task.job_part)
            except WorkInterrupted:
                continue
            finally:
                self._running = None
            self._update([task.task_id], TAKEN, state=ENDED)

    def next_due_at(self) -> float | None:
        """Return when the next task is due; None if none is queued."""
        with self._engine.begin() as connection:
            due_at: float | None = connection.scalar(sa.select(sa.func.min(row.due_at)).where(row.state == QUEUED))
            return due_at

    def enqueue(self, connection: sa.Connection, task: Task, *, delay_sec: float = 0.0) -> None:
        if connection.scalar(sa.select(row.number).where(row.task_id == task.task_id)) is not None:
            return
        connection.execute(
            sa.insert(task_row).values(
                task_id=task.task_id, kind=task.kind, job_id=task.job_id, job_part=task.number, queue=task.queue,
                priority=task.priority, due_at=self._clock() + delay_sec, state=QUEUED,
            )
        )  # fmt: skip

    def cancel(self, tasks: Iterable[Task]) -> None:
        self._update([task.task_id for task in tasks], QUEUED, state=CANCELED)

    def forget(self, tasks: Iterable[Task]) -> None:
        self._delete(row.task_id.in_([task.task_id for task in tasks]))

    def forget_all_tasks(self, job_id: str) -> None:
        self._delete(sa.or_(*(row.task_id.startswith(prefix) for prefix in prefixes_of_ids(job_id))))

    def forget_lane(self, lane: str, engines: Iterable[str]) -> None:
        """Do nothing: the twin records no queues."""

    def sweep(self) -> None:
        self._delete(row.state.in_([ENDED, CANCELED]))

    def list_taken(self, *, executor_id: str | None = None) -> list[TakenTask]:
        query = sa.select(row.task_id, row.executor_id, row.queue).where(row.state == TAKEN)
        if executor_id is not None:
            query = query.where(row.executor_id == executor_id)
        with self._engine.begin() as connection:
            return [TakenTask(*found) for found in connection.execute(query)]

    def is_running(self, task: TakenTask) -> bool:
        return task.task_id == self._running

    def hand_on(self, tasks: Iterable[TakenTask]) -> None:
        self._update([task.task_id for task in tasks], TAKEN, state=QUEUED)

    def give_back(self, queue: str | None = None) -> None:
        moved = {} if queue is None else {"queue": queue}
        self._update([self._running or ""], TAKEN, state=QUEUED, **moved)

    def stop(self) -> None:
        self._queues = ()

    def _take(self) -> sa.Row[Any] | None:
        """Take the first task that is due: the one with the smallest priority, then the oldest."""
        due = sa.select(task_row).where(
            row.state == QUEUED, row.due_at <= self._clock(), row.queue.in_(self._queues), row.kind.in_(self._handlers)
        )
        with self._engine.begin() as connection:
            found = connection.execute(due.order_by(row.priority, row.number).limit(1)).one_or_none()
            if found is not None:
                taken = sa.update(task_row).where(row.number == found.number)
                connection.execute(taken.values(state=TAKEN, executor_id=self._executor_id))
            return found

    def _update(self, task_ids: Sequence[str], from_state: str, **values: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(task_row).where(row.task_id.in_(task_ids), row.state == from_state).values(**values)
            )

    def _delete(self, condition: sa.ColumnElement[bool]) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.delete(task_row).where(condition))


def records_of(engine: sa.Engine, keyring: Keyring | None = None) -> Records:
    """Return records with a queue that is open, because its table cannot be created within a transaction."""
    queue = QueueTwin(engine)
    return Records(engine, lambda _: queue, keyring or Keyring((b"k" * 32,)))
