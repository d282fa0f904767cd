"""Queries on lanes: those of unfinished jobs, and those in which processes work."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from batchscribe.database.bulk import UnixNow
from batchscribe.database.queue_positions import LIVE_STATES
from batchscribe.database.tables import job, worker


@dataclass(frozen=True, slots=True)
class LaneUser:
    """A process that works in lanes, or did so before it was killed. The fields are those of `WorkerRecord`."""

    pid: int
    home: str | None
    lanes: tuple[str, ...]
    is_silent: bool  #: whether it sent no heartbeat lately


def lane_users(connection: sa.Connection, *, silent_sec: float) -> list[LaneUser]:
    """Return all registered processes. One without a heartbeat within `silent_sec` is silent."""
    is_silent = (worker.c.seen_at <= UnixNow() - silent_sec).label("is_silent")
    query = sa.select(worker.c.pid, worker.c.home, worker.c.lanes, is_silent)
    return [
        LaneUser(row.pid, row.home, tuple(row.lanes if isinstance(row.lanes, list) else ()), bool(row.is_silent))
        for row in connection.execute(query)
    ]


def lanes_of_live_jobs(connection: sa.Connection, job_ids: Collection[str]) -> dict[str, str]:
    """Return the lanes of those jobs that have not ended, by job ID."""
    live = (job.c.job_id.in_(job_ids), job.c.state.in_(LIVE_STATES), job.c.deleted_at.is_(None))
    return {row.job_id: row.lane for row in connection.execute(sa.select(job.c.job_id, job.c.lane).where(*live))}
