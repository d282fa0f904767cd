"""Queries on what a tenant's files cost. These rows outlive the jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from batchscribe.database.tables import usage_day

_COUNTERS = ("files", "audio_sec", "compute_sec", "bytes_in")


@dataclass(frozen=True, slots=True)
class Usage:
    """What files cost. Files that failed are included, and files that were processed again count each time."""

    files: int = 0
    audio_sec: float = 0.0  #: of the files that succeeded
    compute_sec: float = 0.0  #: see `Cost`
    bytes_in: int = 0


@dataclass(frozen=True, slots=True)
class UsageDay:
    """What a tenant's files cost on one day (UTC)."""

    day: date
    usage: Usage


def add_usage(connection: sa.Connection, tenant: str, usage: Usage) -> None:
    """Add to the tenant's usage of today."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {name: getattr(usage, name) for name in _COUNTERS}
    new = insert(usage_day).values(tenant=tenant, day=datetime.now(UTC).date(), **values)
    sums = {name: usage_day.c[name] + new.excluded[name] for name in _COUNTERS}
    connection.execute(new.on_conflict_do_update(index_elements=["tenant", "day"], set_=sums))


def usage_by_day(connection: sa.Connection, tenant: str, since: date, until: date | None = None) -> list[UsageDay]:
    """Return the days from `since` to `until`, both included, oldest first. Days without files are omitted."""
    query = sa.select(usage_day).where(usage_day.c.tenant == tenant, usage_day.c.day >= since)
    if until is not None:
        query = query.where(usage_day.c.day <= until)
    rows = connection.execute(query.order_by(usage_day.c.day)).mappings()
    return [UsageDay(row["day"], _usage(row)) for row in rows]


def total_usage(connection: sa.Connection, tenant: str) -> Usage:
    """Return the sum over all days."""
    sums = [sa.func.coalesce(sa.func.sum(usage_day.c[name]), 0).label(name) for name in _COUNTERS]
    return _usage(connection.execute(sa.select(*sums).where(usage_day.c.tenant == tenant)).mappings().one())


def _usage(row: Mapping[str, int | float] | sa.RowMapping) -> Usage:
    return Usage(
        files=int(row["files"]),
        audio_sec=float(row["audio_sec"]),
        compute_sec=float(row["compute_sec"]),
        bytes_in=int(row["bytes_in"]),
    )
