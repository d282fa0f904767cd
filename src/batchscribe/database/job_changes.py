"""What has changed in the jobs of a tenant, in one short query: open pages ask every second."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.tables import job, shard, webhook_delivery
from batchscribe.jobs.model import ShardState
from batchscribe.wire.choices import DeliveryState, JobState

# States are literals, not parameters: a plan made without the value could not use the partial index.
_IS_RUNNING = shard.c.state == sa.literal_column(f"'{ShardState.RUNNING}'")
_DONE_IN_RUNNING = (
    sa.select(sa.func.coalesce(sa.func.sum(shard.c.succeeded + shard.c.failed + shard.c.skipped), 0))
    .where(shard.c.job == job.c.number, _IS_RUNNING)
    .correlate(job)
    .scalar_subquery()
)
_LIVE = sa.select(
    sa.func.count(),
    sa.func.sum(job.c.number),
    sa.func.sum(sa.case((job.c.state == JobState.PROCESSING, 1), else_=0)),
    sa.func.sum(job.c.total_files),
    sa.func.sum(job.c.succeeded + job.c.failed + job.c.skipped + _DONE_IN_RUNNING),
).where(job.c.tenant == sa.bindparam("of_tenant"), job.c.state.in_([JobState.QUEUED, JobState.PROCESSING]))
_NEWEST = sa.select(sa.func.max(job.c.number)).where(job.c.tenant == sa.bindparam("of_tenant"))


def changes_of_tenant(connection: sa.Connection, tenant: str) -> str:
    """Return text that is equal as long as no job is added, begins, ends or finishes a file.

    Jobs that have ended are not read, so the cost depends only on those in progress.
    """
    newest = connection.scalar(_NEWEST, {"of_tenant": tenant})
    live = connection.execute(_LIVE, {"of_tenant": tenant}).one()
    return "-".join(str(int(each or 0)) for each in (newest, *live))


_DELIVERIES = sa.select(
    sa.func.count(),
    sa.func.sum(webhook_delivery.c.attempts),
    sa.func.sum(sa.case((webhook_delivery.c.state == DeliveryState.PENDING, 1), else_=0)),
    sa.func.max(webhook_delivery.c.replayed_at),
).where(webhook_delivery.c.job == sa.bindparam("of_job"))


def changes_of_deliveries(connection: sa.Connection, job_number: int) -> str:
    """Return text that is equal as long as no delivery of the job is added, attempted, ended or sent again."""
    row = connection.execute(_DELIVERIES, {"of_job": job_number}).one()
    return "-".join(str(each or 0) for each in row)
