"""The protocol of the durable queue. `Flow` implements it with DBOS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from batchscribe.database.connect import Connection
from batchscribe.queue.tasks import TakenTask, Task
from batchscribe.queue.vital_thread import Died

#: Runs a task, given its job ID and number. Safe to repeat.
Handler = Callable[[str, int], None]


class TaskQueue(Protocol):
    def prepare(self) -> None:
        """Create or upgrade the tables of the queue."""
        ...

    def run(
        self,
        handlers: dict[str, Handler],
        *,
        executor_id: str,
        lanes: Sequence[str],
        engines: Sequence[str],
        slots: int,
        tenant_slots: int | None = None,
        is_fit_for: Callable[[str], bool] = ...,
        died: Died = ...,
    ) -> None:
        """Start to run tasks of these lanes and engines. Tasks that a process with this ID had taken are resumed."""
        ...

    def enqueue(self, connection: Connection, task: Task, *, delay_sec: float = 0.0) -> None:
        """Enqueue a task in the caller's transaction, to run after `delay_sec`. An existing task is left unchanged."""
        ...

    def cancel(self, tasks: Iterable[Task]) -> None:
        """Remove queued tasks from their queues. A running task continues until it checks its job."""
        ...

    def forget(self, tasks: Iterable[Task]) -> None:
        """Delete all that is recorded about these tasks."""
        ...

    def forget_all_tasks(self, job_id: str) -> None:
        """Delete all that is recorded about the tasks of a job. No other process may work on it."""
        ...

    def forget_lane(self, lane: str, engines: Iterable[str]) -> None:
        """Delete the queues of a lane that is no longer used."""
        ...

    def sweep(self) -> None:
        """Delete what is recorded about ended tasks."""
        ...

    def list_taken(self, *, executor_id: str | None = None) -> list[TakenTask]:
        """Return the tasks recorded as running, of one process or of all."""
        ...

    def is_running(self, task: TakenTask) -> bool:
        """Return whether this process really runs the task."""
        ...

    def hand_on(self, tasks: Iterable[TakenTask]) -> None:
        """Requeue the tasks of a process that has ended. A task that was deleted meanwhile stays deleted."""
        ...

    def give_back(self, queue: str | None = None) -> None:
        """Requeue the task of this thread, by default into the queue from which it was taken.

        Its handler then raises `WorkInterrupted`.
        """
        ...

    def stop(self) -> None:
        """Stop taking tasks. Running tasks stay recorded, for `hand_on` or for the next `run` with the same ID."""
        ...
