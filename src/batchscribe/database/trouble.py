"""What the drivers raise when the database is away, restarts, or has ended a transaction: worth another try."""

from __future__ import annotations

import sqlalchemy as sa

#: psycopg counts the end of a transaction that stood still as an `InternalError`, and a connection that was closed
#: before as an `InterfaceError`. `TimeoutError`: no connection of the pool became free.
DATABASE_TROUBLE = (
    sa.exc.OperationalError,
    sa.exc.InternalError,
    sa.exc.InterfaceError,
    sa.exc.TimeoutError,
)
RETRY_SEC = 5.0  #: between two tries


def cause_of(error: Exception) -> str:
    """What the driver said, without the statement."""
    return str(getattr(error, "orig", None) or error).strip()
