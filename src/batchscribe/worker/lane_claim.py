"""A lane with at most one process: that of a local job, or of a watch. The rows of workers are the leases.

A process holds its lane as long as it sends heartbeats. The next process in the same data directory need not wait,
because it holds the lock of the directory.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from batchscribe.database.connect import Connection
from batchscribe.database.worker_rows import delete_workers, lock_workers, now, workers
from batchscribe.errors import AlreadyRunning
from batchscribe.jobs.model import WATCH_LANE
from batchscribe.jobs.worker_record import WorkerRecord


def check_lane(connection: Connection, lane: str, *, home: str, silent_sec: float) -> None:
    """Check that no other live process works in the lane, without claiming it. Raises `AlreadyRunning`."""
    others = [each for each in workers(connection) if lane in each.lanes and each.home != home]
    _find_dead(others, now(connection), silent_sec)


def claim_lanes(connection: Connection, me: WorkerRecord, *, silent_sec: float) -> list[str]:
    """Claim the lanes of a worker that is registered next, in the same transaction.

    Deletes the rows of workers that died in these lanes, and returns their IDs. Raises `AlreadyRunning`.
    """
    lock_workers(connection)
    others = [each for each in workers(connection) if _is_other(each, me) and set(each.lanes) & set(me.lanes)]
    dead = _find_dead(others, now(connection), silent_sec)
    delete_workers(connection, dead)
    return dead


def _is_other(found: WorkerRecord, me: WorkerRecord) -> bool:
    is_predecessor = me.home is not None and found.home == me.home
    return found.worker_id != me.worker_id and not is_predecessor


def _find_dead(others: Sequence[WorkerRecord], now_sec: float, silent_sec: float) -> list[str]:
    """Return the IDs of those that are silent. Raises `AlreadyRunning` if one is live."""
    for each in others:
        if now_sec - each.seen_at < silent_sec:
            raise AlreadyRunning(_describe(each, now_sec, silent_sec))
    return [each.worker_id for each in others]


def _describe(holder: WorkerRecord, now_sec: float, silent_sec: float) -> str:
    lane = holder.lanes[0]
    work = "watching this for the same output" if lane.startswith(WATCH_LANE) else f"working on {lane}"
    since = datetime.fromtimestamp(holder.started_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    seen_sec = max(0.0, now_sec - holder.seen_at)
    return (
        f"Process {holder.pid} on {holder.host} has been {work} since {since}. Its last heartbeat was {seen_sec:.0f} s "
        f"ago. Stop it first. If it no longer runs, try again in {silent_sec - seen_sec:.0f} s."
    )
