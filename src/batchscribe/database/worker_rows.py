"""Queries on workers. A row that is not renewed belongs to a worker that has died.

Periodic tasks of the fleet, such as reaping, are claimed by one worker at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from batchscribe.database.bulk import UnixNow, lock_rows
from batchscribe.database.tables import turn, worker
from batchscribe.jobs.worker_record import WorkerRecord, WorkerState
from batchscribe.speech.capability import Capability


def insert_worker(connection: sa.Connection, item: WorkerRecord) -> None:
    """Register the worker. From now on, it owns the tasks that it takes."""
    values = {
        "worker_id": item.worker_id,
        "name": item.name,
        "host": item.host,
        "pid": item.pid,
        "version": item.version,
        "home": item.home,
        "lanes": list(item.lanes),
        "slots": item.slots,
        "engines": [engine.as_json() for engine in item.engines],
        "state": item.state,
        "troubles": dict(item.troubles),
        "started_at": UnixNow(),
        "seen_at": UnixNow(),
    }
    connection.execute(sa.insert(worker).values(values))


def renew(
    connection: sa.Connection, worker_id: str, state: WorkerState, troubles: Mapping[str, str] | None = None
) -> float | None:
    """Record a heartbeat and return its time; None if the worker was declared dead and has no row any more.

    `troubles` as in `WorkerRecord`.
    """
    values = {"seen_at": UnixNow(), "state": state, "troubles": dict(troubles or {})}
    statement = sa.update(worker).where(worker.c.worker_id == worker_id).values(values).returning(worker.c.seen_at)
    return connection.execute(statement).scalar()


def delete_workers(connection: sa.Connection, worker_ids: Collection[str]) -> None:
    """Delete the rows of workers that have ended."""
    connection.execute(sa.delete(worker).where(worker.c.worker_id.in_(worker_ids)))


def workers(connection: sa.Connection) -> list[WorkerRecord]:
    """Return all workers by name, including silent ones."""
    return [_worker(row) for row in connection.execute(sa.select(worker).order_by(worker.c.name, worker.c.worker_id))]


def live_workers(connection: sa.Connection, *, silent_sec: float) -> list[WorkerRecord]:
    """Return the workers with a heartbeat within `silent_sec`."""
    query = sa.select(worker).where(worker.c.seen_at > UnixNow() - silent_sec)
    return [_worker(row) for row in connection.execute(query.order_by(worker.c.name, worker.c.worker_id))]


def silent_workers(connection: sa.Connection, *, silent_sec: float) -> list[WorkerRecord]:
    """Return the workers without a heartbeat within `silent_sec`."""
    query = sa.select(worker).where(worker.c.seen_at <= UnixNow() - silent_sec)
    return [_worker(row) for row in connection.execute(query)]


def now(connection: sa.Connection) -> float:
    """Return the time of the database's clock, which heartbeats use."""
    return float(connection.execute(sa.select(UnixNow())).scalar_one())


def worker_ids(connection: sa.Connection) -> set[str]:
    return set(connection.scalars(sa.select(worker.c.worker_id)))


def workers_at_home(connection: sa.Connection, home: str) -> list[str]:
    """Return the IDs of the workers that used this data directory exclusively."""
    return list(connection.scalars(sa.select(worker.c.worker_id).where(worker.c.home == home)))


# Another release may have written values that this one does not understand; they are ignored.


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _worker(row: sa.Row[Any]) -> WorkerRecord:
    return WorkerRecord(
        worker_id=row.worker_id,
        name=row.name,
        host=row.host,
        pid=row.pid,
        version=row.version,
        home=row.home,
        lanes=tuple(lane for lane in _list(row.lanes) if isinstance(lane, str)),
        slots=row.slots,
        engines=tuple(engine for values in _list(row.engines) if (engine := Capability.from_json(values)) is not None),
        state=WorkerState(row.state) if row.state in list(WorkerState) else WorkerState.WORKING,
        troubles=row.troubles if isinstance(row.troubles, dict) else {},
        started_at=row.started_at,
        seen_at=row.seen_at,
    )


class PeriodicTask(StrEnum):
    REAP = "reap"  #: requeue the tasks of dead workers
    SWEEP = "sweep"  #: delete the queue's rows of ended tasks
    CLEAN_UP = "clean_up"  #: delete expired secrets and sessions, and jobs that are old enough


def lock_workers(connection: sa.Connection) -> None:
    """Lock the registration of workers, and the deletion of silent ones, until the transaction ends."""
    lock_rows(connection, sa.select(turn.c.name).where(turn.c.name == PeriodicTask.REAP))


def claim_periodic_task(connection: sa.Connection, name: PeriodicTask, *, every_sec: float) -> bool:
    """Return True for one caller every `every_sec` seconds, by the database's clock."""
    is_due = sa.and_(turn.c.name == name, turn.c.taken_at <= UnixNow() - every_sec)
    return connection.execute(sa.update(turn).where(is_due).values(taken_at=UnixNow())).rowcount == 1
