"""The database's clock, which all machines share."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles


class UnixNow(sa.sql.functions.FunctionElement[float]):
    """The current time of the database, in Unix seconds."""

    type = sa.Double()
    inherit_cache = True


@compiles(UnixNow, "sqlite")
def _of_sqlite(_element: UnixNow, _compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(UnixNow, "postgresql")
def _of_postgresql(_element: UnixNow, _compiler: Any, **_: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"
