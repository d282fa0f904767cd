"""Temporary database errors: the database is down, restarts, or has ended a transaction."""

from __future__ import annotations

import sqlalchemy as sa

#: psycopg raises `InternalError` if an idle transaction was ended, and `InterfaceError` if the connection was already
#: closed. `TimeoutError`: no connection of the pool became free.
DATABASE_TROUBLE = (
    sa.exc.OperationalError,
    sa.exc.InternalError,
    sa.exc.InterfaceError,
    sa.exc.TimeoutError,
)
RETRY_SEC = 5.0  #: between two attempts


def cause_of(error: Exception) -> str:
    """Return the driver's message, without the statement."""
    return str(getattr(error, "orig", None) or error).strip()
