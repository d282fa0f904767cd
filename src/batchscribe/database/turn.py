"""What one process does for all now and then: whoever comes first takes the turn, and the others let it pass."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa

from batchscribe.database.clock import UnixNow
from batchscribe.database.tables import turn


class Turn(StrEnum):
    REAP = "reap"  #: hand on what dead workers had
    SWEEP = "sweep"  #: delete the engine's rows of ended tasks


def take_turn(connection: sa.Connection, name: Turn, *, every_sec: float) -> bool:
    """True for one caller in `every_sec`, by the database's clock."""
    is_due = sa.and_(turn.c.name == name, turn.c.taken_at <= UnixNow() - every_sec)
    return connection.execute(sa.update(turn).where(is_due).values(taken_at=UnixNow())).rowcount == 1
