"""Queries on the workers there are. A row that was not renewed for a while is of a worker that died."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from batchscribe.database.clock import UnixNow
from batchscribe.database.tables import worker
from batchscribe.jobs.fleet import WorkerRecord, WorkerState
from batchscribe.speech.capability import Capability


def enroll(connection: sa.Connection, item: WorkerRecord) -> None:
    """Make the worker known. From now on what it takes is its own."""
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
    """Give a sign of life; its time, or None when the worker was taken for dead meanwhile and has no row.

    `troubles` as in `WorkerRecord`.
    """
    values = {"seen_at": UnixNow(), "state": state, "troubles": dict(troubles or {})}
    statement = sa.update(worker).where(worker.c.worker_id == worker_id).values(values).returning(worker.c.seen_at)
    return connection.execute(statement).scalar()


def dismiss(connection: sa.Connection, worker_ids: Collection[str]) -> None:
    """Forget workers that have ended."""
    connection.execute(sa.delete(worker).where(worker.c.worker_id.in_(worker_ids)))


def workers(connection: sa.Connection) -> list[WorkerRecord]:
    """All, by name, the silent ones too."""
    return [_worker(row) for row in connection.execute(sa.select(worker).order_by(worker.c.name, worker.c.worker_id))]


def live_workers(connection: sa.Connection, *, silent_sec: float) -> list[WorkerRecord]:
    """Those that gave a sign of life within `silent_sec`."""
    query = sa.select(worker).where(worker.c.seen_at > UnixNow() - silent_sec)
    return [_worker(row) for row in connection.execute(query.order_by(worker.c.name, worker.c.worker_id))]


def silent_workers(connection: sa.Connection, *, silent_sec: float) -> list[WorkerRecord]:
    """Those that did not."""
    query = sa.select(worker).where(worker.c.seen_at <= UnixNow() - silent_sec)
    return [_worker(row) for row in connection.execute(query)]


def worker_ids(connection: sa.Connection) -> set[str]:
    return set(connection.scalars(sa.select(worker.c.worker_id)))


def workers_at_home(connection: sa.Connection, home: str) -> list[str]:
    """Ids of those that had this home for themselves."""
    return list(connection.scalars(sa.select(worker.c.worker_id).where(worker.c.home == home)))


# What another release wrote may hold anything: what is not understood is left out.


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
