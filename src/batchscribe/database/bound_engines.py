"""Queries on the engine and model to which a job is bound."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.queue_positions import LIVE_STATES
from batchscribe.database.tables import job
from batchscribe.jobs.model import Job


def bind_job(
    connection: sa.Connection, item: Job, *, engine: str, model: str | None, revision: str | None, speed: float
) -> None:
    """Bind a live job without a model, unless another worker has bound it or listed files meanwhile."""
    is_open = (job.c.model.is_(None), job.c.engine == item.engine, job.c.last_seq == 0, job.c.state.in_(LIVE_STATES))
    statement = sa.update(job).where(job.c.number == item.number, *is_open)
    connection.execute(statement.values(engine=engine, model=model, model_revision=revision, speed=speed))
