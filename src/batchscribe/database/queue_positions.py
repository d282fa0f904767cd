"""The positions of queued jobs: among the unfinished jobs of their tenant in their lane."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from batchscribe.database.tables import job
from batchscribe.wire.choices import JobState

LIVE_STATES = (JobState.QUEUED, JobState.PROCESSING)
_AHEAD = job.alias("ahead")
#: The position of one job. For each row of a page, it would count all jobs before it again.
POSITION = sa.case(
    (
        job.c.state == JobState.QUEUED,
        sa.select(sa.func.count() + 1)
        .select_from(_AHEAD)
        .where(
            _AHEAD.c.tenant == job.c.tenant,
            _AHEAD.c.state.in_(LIVE_STATES),
            _AHEAD.c.number < job.c.number,
            _AHEAD.c.lane == job.c.lane,
        )
        .correlate(job)
        .scalar_subquery(),
    )
)


def positions_of(connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> dict[int, int]:
    """Return the positions of the queued jobs among these rows, by number. Those before the oldest are counted once."""
    queued: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        if row.state == JobState.QUEUED:
            queued[row.tenant, row.lane].append(row.number)
    position_of: dict[int, int] = {}
    for (tenant, lane), numbers in queued.items():
        live = (job.c.tenant == tenant, job.c.lane == lane, job.c.state.in_(LIVE_STATES))
        ahead = connection.scalar(sa.select(sa.func.count()).where(*live, job.c.number < min(numbers))) or 0
        here = sa.select(job.c.number).where(*live, job.c.number.between(min(numbers), max(numbers)))
        unfinished = connection.scalars(here.order_by(job.c.number)).all()  # one of `numbers` may have ended meanwhile
        position_of |= {number: ahead + 1 + bisect_left(unfinished, number) for number in numbers}
    return position_of
