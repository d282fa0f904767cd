"""Polling for tasks, with one statement for all queues of the process. It wakes the threads of queues that have tasks.

By default, DBOS polls each queue in a separate thread, with three or four statements each time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import partial

import structlog

from batchscribe.database.connect import Database, cause_of
from batchscribe.database.task_table import TaskTable, WaitingTasks
from batchscribe.queue.running_tasks import RunningTasks
from batchscribe.queue.vital_thread import Died, vital_thread

log = structlog.get_logger()

LOOK_SEC = 0.25  #: between two looks: a task is noticed at most this late
#: Delay between the end of a task and the next look. Tasks that end together share that look, and by then DBOS has
#: recorded that the slot is free.
SETTLE_SEC = 0.05
#: While this process or a tenant in it may be at the limit of a queue, the thread of that queue is woken only when a
#: task begins or ends here, or after this time.
FULL_SEC = 1.0


class QueueEvent(threading.Event):
    """Replacement for the event that stops a queue's thread. `wait` also returns when the queue has tasks.

    It ignores the timeout that DBOS passes: DBOS doubles it after conflicts, up to two minutes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._wanted = threading.Event()

    def wake(self) -> None:
        """Make the thread take tasks once."""
        self._wanted.set()

    def set(self) -> None:
        super().set()
        self._wanted.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for tasks or for the stop. Returns True if the thread must stop."""
        self._wanted.wait()
        self._wanted.clear()
        return self.is_set()


@dataclass(frozen=True, slots=True)
class ServedQueue:
    """A queue that this process takes tasks from."""

    name: str
    take_tasks: Callable[[QueueEvent], None]  #: takes tasks whenever the event is woken, until it is set
    has_room: Callable[[], bool]  #: whether this process can certainly run another task
    is_open: Callable[[], bool] = lambda: True  #: whether this process can run its tasks; if not, it takes none


class Dispatcher:
    """Poller for tasks: four times a second, and soon after a task has ended, since it may have enqueued others."""

    def __init__(
        self,
        database: Database,
        queues: Sequence[ServedQueue],
        *,
        running: RunningTasks,
        enqueue_due: Callable[[], None],
        died: Died = lambda _: None,
    ) -> None:
        """`enqueue_due` moves delayed tasks that are due into their queues.

        `died` is called with the name of a thread that ends before `stop`; its queue, or every queue, would then be
        ignored.
        """
        self._queues = {queue.name: queue for queue in queues}
        self._task_table = TaskTable(database, list(self._queues), schema="dbos")
        self._running = running
        self._enqueue_due = enqueue_due
        self._stopping = threading.Event()
        self._in_trouble = False
        self._woken: dict[str, tuple[float, int]] = {}  #: queues with tasks: last wake-up, and `moves` then
        self._events = {name: QueueEvent() for name in self._queues}
        work = {"dispatcher": self._run} | {
            name: partial(queue.take_tasks, self._events[name]) for name, queue in self._queues.items()
        }
        self._threads = [
            vital_thread(target, name=name, died=died, is_stopping=self._stopping.is_set)
            for name, target in work.items()
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, within_sec: float) -> None:
        """Stop taking tasks. A thread that waits for the database for longer than `within_sec` may still take some."""
        self._stopping.set()
        self._running.ended.set()  # ends the wait for the next look
        for event in self._events.values():
            event.set()
        deadline = time.monotonic() + within_sec
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while not self._stopping.is_set():
            found = self._look()
            if found is not None:
                self._wake_threads(found.queues)
            if self._running.ended.wait(LOOK_SEC):
                self._stopping.wait(SETTLE_SEC)
                self._running.ended.clear()
        self._task_table.close()

    def _look(self) -> WaitingTasks | None:
        """Return the waiting tasks; None if the database fails. The next look tries again."""
        try:
            found = self._task_table.look()
            if found.due_at is not None and found.due_at <= time.time():
                self._enqueue_due()
                found = self._task_table.look()
        except self._task_table.errors as error:
            self._task_table.close()
            if not self._in_trouble:
                log.warning("database.trouble", error=cause_of(error))
            self._in_trouble = True
            return None
        self._in_trouble = False
        return found

    def _wake_threads(self, names: Set[str]) -> None:
        """Wake the threads of queues that have tasks."""
        now, moves = time.monotonic(), self._running.moves
        self._woken = {name: woken for name, woken in self._woken.items() if name in names}
        for name in names:
            if not self._queues[name].is_open():
                continue
            woken_at, moves_then = self._woken.get(name, (float("-inf"), moves))
            if self._queues[name].has_room() or moves != moves_then or now - woken_at >= FULL_SEC:
                self._woken[name] = now, moves
                self._events[name].wake()
