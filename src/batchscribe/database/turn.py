"""Periodic tasks that one process does for all: the first one takes the turn, and the others skip it."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa

from batchscribe.database.clock import UnixNow
from batchscribe.database.tables import turn


class Turn(StrEnum):
    REAP = "reap"  #: requeue the tasks of dead workers
    SWEEP = "sweep"  #: delete DBOS's rows of ended tasks


def take_turn(connection: sa.Connection, name: Turn, *, every_sec: float) -> bool:
    """Return True for one caller every `every_sec` seconds, by the database's clock."""
    is_due = sa.and_(turn.c.name == name, turn.c.taken_at <= UnixNow() - every_sec)
    return connection.execute(sa.update(turn).where(is_due).values(taken_at=UnixNow())).rowcount == 1
