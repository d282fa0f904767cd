"""The database's clock, which is one for all machines."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles


class UnixNow(sa.sql.functions.FunctionElement[float]):
    """The current time in Unix seconds, as the database has it."""

    type = sa.Double()
    inherit_cache = True


@compiles(UnixNow, "sqlite")
def _of_sqlite(_element: UnixNow, _compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(UnixNow, "postgresql")
def _of_postgresql(_element: UnixNow, _compiler: Any, **_: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"
