"""Membership in the fleet: a worker sends heartbeats, and requeues the tasks of workers that no longer do.

The queue resumes only the tasks of an earlier process with the same name. So every process has a unique name and its
own row in the table `worker`, which it renews. One worker at a time deletes the rows of silent workers. It also
requeues every task that is recorded as running in a process without a row. If a live worker is declared dead, work is
repeated, but no result is lost: see `stages/shard.py`.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterable
from dataclasses import replace

import structlog

from batchscribe import __version__
from batchscribe.database.connect import DATABASE_TROUBLE, cause_of
from batchscribe.database.schema import is_usable
from batchscribe.database.worker_rows import (
    PeriodicTask,
    claim_periodic_task,
    delete_workers,
    insert_worker,
    live_workers,
    renew,
    silent_workers,
    worker_ids,
    workers_at_home,
)
from batchscribe.errors import AlreadyRunning, WorkInterrupted
from batchscribe.jobs.worker_record import WorkerRecord, WorkerState
from batchscribe.metrics import HANDED_ON_TASKS, REAPED_WORKERS
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import TakenTask
from batchscribe.queue.vital_thread import Died, vital_thread
from batchscribe.settings import Settings
from batchscribe.speech.capability import Capability
from batchscribe.stages.job_context import JobWatch
from batchscribe.worker.cleanup import clean_up
from batchscribe.worker.lane_claim import claim_lanes
from batchscribe.worker.stranded_jobs import find_stranded_jobs

log = structlog.get_logger()

SWEEP_EVERY_SEC = 60.0
LATE = 2.0  #: heartbeats; after a longer gap, this process was paused itself


def new_worker(
    settings: Settings, *, lanes: Iterable[str], slots: int, engines: Iterable[Capability], home: str | None
) -> WorkerRecord:
    """Describe this process, with a unique name."""
    return WorkerRecord(
        worker_id=f"{settings.worker_name}-{secrets.token_hex(5)}",
        name=settings.worker_name,
        host=socket.gethostname(),
        pid=os.getpid(),
        version=__version__,
        home=home,
        lanes=tuple(lanes),
        slots=slots,
        engines=tuple(engines),
    )


class Fleet:
    """The membership of this worker. Call `enter` before it takes tasks, and `leave` when it has stopped."""

    def __init__(
        self,
        records: Records,
        settings: Settings,
        me: WorkerRecord,
        watch: JobWatch,
        *,
        troubles: Callable[[], dict[str, str]],
        outdated: Callable[[], None],
        replaced: Callable[[str], None] | None,
        died: Died,
    ) -> None:
        """`troubles` returns what the machine cannot do now; see `MachineHealth`. `outdated` is called if the database
        has the schema of another release. `died` is called if a thread of this object ends unexpectedly.

        With `replaced`, no other process may work in the same lanes. It is called with a sentence if one has taken over
        because this one was silent for too long.
        """
        self.me = me
        self._records = records
        self._heartbeat_sec = settings.heartbeat_sec
        self._silent_sec = settings.silent_sec
        self._retention_days = settings.retention_days
        self._watch = watch
        self._troubles = troubles
        self._outdated = outdated
        self._replaced = replaced
        self._dead: list[str] = []  #: workers that died in the lanes of this one
        self._seen_at = 0.0  #: time of the last heartbeat
        self._steady_since = 0.0  #: start of heartbeats without a gap, in which others could send theirs
        self._strays: frozenset[TakenTask] = frozenset()
        self._threads = [
            vital_thread(target, name=name, died=died, is_stopping=lambda: watch.stopping)
            for name, target in (("heartbeat", self._live), ("sweeper", self._sweep))
        ]

    def enter(self) -> None:
        """Register this worker. Tasks that it took before would be requeued as those of an unknown worker.

        Raises `AlreadyRunning`.
        """
        with self._records.transaction() as connection:
            if self._replaced is not None:
                self._dead = claim_lanes(connection, self.me, silent_sec=self._silent_sec)
            insert_worker(connection, self.me)

    def begin(self) -> None:
        """Take over the tasks of a predecessor in the same home or lane, and start the heartbeats."""
        self._remove_predecessors()
        for thread in self._threads:
            thread.start()

    def leave(self) -> None:
        """Requeue unfinished tasks. The worker must have stopped taking tasks, but handlers may still be running."""
        flow = self._records.flow
        try:
            flow.hand_on(flow.list_taken(executor_id=self.me.worker_id))
            with self._records.transaction() as connection:
                delete_workers(connection, [self.me.worker_id])
        except DATABASE_TROUBLE as error:  # the others will find this worker silent
            log.warning("database.trouble", error=cause_of(error))

    def report_troubles(self) -> None:
        """Record troubles at once, so that fit workers get the jobs. The next heartbeat records them again."""
        try:
            with self._records.transaction() as connection:
                renew(connection, self.me.worker_id, self._state(), self._troubles())
        except DATABASE_TROUBLE as error:
            log.warning("database.trouble", error=cause_of(error))

    def _state(self) -> WorkerState:
        return WorkerState.DRAINING if self._watch.draining else WorkerState.WORKING

    def _remove_predecessors(self) -> None:
        if self.me.home is None:
            return
        with self._records.transaction() as connection:
            at_home = [each for each in workers_at_home(connection, self.me.home) if each != self.me.worker_id]
        dead = [*self._dead, *at_home]
        flow = self._records.flow
        flow.hand_on([task for task in flow.list_taken() if task.executor_id in dead])
        with self._records.transaction() as connection:
            delete_workers(connection, dead)

    def _live(self) -> None:
        structlog.contextvars.bind_contextvars(worker=self.me.worker_id)
        while not self._watch.wait(self._heartbeat_sec):
            try:
                self.beat()
            except DATABASE_TROUBLE as error:  # the next heartbeat may succeed
                log.warning("database.trouble", error=cause_of(error))
            except AlreadyRunning as error:
                assert self._replaced is not None  # noqa: S101 - for the type checker: only then lanes are claimed
                self._replaced(error.message)

    def beat(self) -> None:
        """Send one heartbeat, and do the periodic work that is due."""
        if not is_usable(self._records.database):
            self._outdated()
            self._give_sign()  # while this worker drains, no other may take over its tasks
            return
        self._give_sign()
        self._hand_on_strays()
        if self._seen_at - self._steady_since >= self._silent_sec:
            self._reap()

    def _give_sign(self) -> None:
        state, troubles = self._state(), self._troubles()
        with self._records.transaction() as connection:
            now = renew(connection, self.me.worker_id, state, troubles)
            if now is None:
                log.warning("worker.was_taken_for_dead", worker_id=self.me.worker_id)
                if self._replaced is not None:
                    claim_lanes(connection, self.me, silent_sec=self._silent_sec)
                insert_worker(connection, replace(self.me, state=state))
                now = renew(connection, self.me.worker_id, state, troubles)
        assert now is not None  # noqa: S101 - for the type checker: registered in the same transaction
        if now - self._seen_at > LATE * self._heartbeat_sec:
            self._steady_since = now
        self._seen_at = now

    def _hand_on_strays(self) -> None:
        """Requeue tasks that are only recorded as running here: the database failed while they began."""
        flow = self._records.flow
        here = flow.list_taken(executor_id=self.me.worker_id)
        strays = frozenset(task for task in here if not flow.is_running(task))
        lost = strays & self._strays  # seen twice: a task seen once may just have begun or ended
        if lost:
            log.warning("tasks.lost", worker_id=self.me.worker_id, tasks=len(lost))
            flow.hand_on(lost)
        self._strays = strays - lost

    def _reap(self) -> None:
        with self._records.transaction() as connection:
            if not claim_periodic_task(connection, PeriodicTask.REAP, every_sec=self._heartbeat_sec / 2):
                return
            silent = silent_workers(connection, silent_sec=self._silent_sec)  # not this one: its heartbeat is recent
            delete_workers(connection, [each.worker_id for each in silent])
        REAPED_WORKERS.inc(len(silent))
        for each in silent:
            log.warning("worker.reaped", worker_id=each.worker_id, host=each.host, pid=each.pid)
        self._hand_on_orphans()

    def _hand_on_orphans(self) -> None:
        flow = self._records.flow
        held = flow.list_taken()  # first: a worker that registers in between is then known
        with self._records.transaction() as connection:
            known = worker_ids(connection)
        orphans = [task for task in held if task.executor_id not in known]
        if orphans:
            log.warning("tasks.handed_on", tasks=len(orphans))
            HANDED_ON_TASKS.inc(len(orphans))
            flow.hand_on(orphans)

    def _sweep(self) -> None:
        """Delete ended tasks, old jobs and what has expired periodically, as long as the worker runs."""
        structlog.contextvars.bind_contextvars(worker=self.me.worker_id)
        while not self._watch.wait(SWEEP_EVERY_SEC):
            try:
                with self._records.transaction() as connection:
                    has_turn = claim_periodic_task(connection, PeriodicTask.SWEEP, every_sec=SWEEP_EVERY_SEC / 2)
                if has_turn:
                    self._records.flow.sweep()
                    self._report_stranded_jobs()
                self._clean_up()
            except WorkInterrupted:
                return
            except DATABASE_TROUBLE as error:  # the next sweep catches up
                log.warning("database.trouble", error=cause_of(error))

    def _clean_up(self) -> None:
        def check() -> None:
            if self._watch.stopping:
                raise WorkInterrupted("The worker stops.")

        every_sec = SWEEP_EVERY_SEC / 2
        clean_up(self._records, every_sec=every_sec, retention_days=self._retention_days, check=check)

    def _report_stranded_jobs(self) -> None:
        with self._records.transaction() as connection:
            stranded = find_stranded_jobs(connection, live_workers(connection, silent_sec=self._silent_sec))
        for each in stranded:
            log.warning(
                "jobs.stranded", engine=each.engine, model=each.model, revision=each.revision,
                diarization=each.diarization, jobs=each.jobs, see="batchscribe doctor",
            )  # fmt: skip
