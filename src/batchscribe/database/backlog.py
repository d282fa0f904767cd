"""Queries on the backlog. They use job rows and small indexes, so that their cost does not grow with the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from batchscribe.database.bulk import UnixNow
from batchscribe.database.tables import job, shard, waiting, webhook_delivery
from batchscribe.jobs.model import ANY_ENGINE, ShardState
from batchscribe.speech.capability import key_of_model, queue_key_of
from batchscribe.wire.choices import DeliveryState, JobState


@dataclass(frozen=True, slots=True)
class TenantBacklog:
    """The open work of a tenant's unfinished jobs."""

    tenant: str
    jobs: int
    files: int  #: found so far and not in a final state
    shards_waiting: int
    shards_running: int
    oldest_sec: float  #: since the oldest of these jobs was submitted
    jobs_waiting: int = 0  #: for fresh credentials


@dataclass(frozen=True, slots=True)
class WebhookBacklog:
    pending: int
    oldest_sec: float  #: since the oldest of them was created; 0 if there are none


# States are literals, not parameters: a plan made without the value could not use the partial indexes.
_IS_RUNNING = shard.c.state == sa.literal_column(f"'{ShardState.RUNNING}'")
_IS_PENDING = webhook_delivery.c.state == sa.literal_column(f"'{DeliveryState.PENDING}'")

_RUNNING = (
    sa.select(
        shard.c.job,
        sa.func.count().label("shards"),
        sa.func.sum(shard.c.succeeded + shard.c.failed + shard.c.skipped).label("files_done"),
    )
    .where(_IS_RUNNING)
    .group_by(shard.c.job)
    .subquery("running")
)
# Job rows are wide and most have ended, so unfinished jobs are found through the index of states.
_LIVE = sa.select(job.c.number).where(job.c.state.in_([JobState.QUEUED, JobState.PROCESSING]))
_SHARDS_RUNNING = sa.func.coalesce(_RUNNING.c.shards, 0)
_WAITS = sa.exists().where(waiting.c.job == job.c.number).correlate(job)
# A worker will choose its engine when it lists the job: see `stages/engine_choice.py`.
_WAITS_FOR_CHOICE = sa.and_(job.c.engine == ANY_ENGINE, job.c.state == JobState.QUEUED)
_FILES_OPEN = (
    job.c.total_files
    - job.c.succeeded
    - job.c.failed
    - job.c.skipped
    - sa.func.coalesce(_RUNNING.c.files_done, 0)
)  # fmt: skip
_BY_TENANT = (
    sa.select(
        job.c.tenant,
        sa.func.count().label("jobs"),
        sa.func.sum(_FILES_OPEN).label("files"),
        sa.func.sum(job.c.last_shard - job.c.shards_done - _SHARDS_RUNNING).label("shards_waiting"),
        sa.func.sum(_SHARDS_RUNNING).label("shards_running"),
        (UnixNow() - sa.func.min(job.c.submitted_at)).label("oldest_sec"),
        sa.func.sum(sa.case((_WAITS, 1), else_=0)).label("jobs_waiting"),
    )
    .select_from(job.outerjoin(_RUNNING, _RUNNING.c.job == job.c.number))
    .where(job.c.number.in_(_LIVE))
    .group_by(job.c.tenant)
    .order_by(job.c.tenant)
)
_WEBHOOKS = sa.select(
    sa.func.count().label("pending"),
    sa.func.coalesce(UnixNow() - sa.func.min(webhook_delivery.c.created_at), 0.0).label("oldest_sec"),
).where(_IS_PENDING)


@dataclass(frozen=True, slots=True)
class EngineBacklog:
    """The unfinished jobs of a lane for one engine and model, with or without diarization.

    `model` is None if any model of the engine will do.
    """

    engine: str
    model: str | None
    revision: str | None
    jobs: int
    diarization: bool = False

    @property
    def model_key(self) -> str:
        return self.engine if self.model is None else key_of_model(self.engine, self.model, self.revision)

    @property
    def queue_key(self) -> str:
        return queue_key_of(self.model_key, diarization=self.diarization)


def backlog_by_engine(connection: sa.Connection, lane: str) -> list[EngineBacklog]:
    """Count the unfinished jobs of a lane by engine and model, without those whose engine is not chosen yet."""
    diarization = sa.func.coalesce(job.c.request["config"]["diarization"].as_boolean(), sa.false())
    query = sa.select(job.c.engine, job.c.model, job.c.model_revision, diarization.label("diarization"))
    needs = query.where(job.c.number.in_(_LIVE), job.c.lane == lane, sa.not_(_WAITS_FOR_CHOICE)).subquery("needs").c
    rows = connection.execute(sa.select(*needs, sa.func.count().label("jobs")).group_by(*needs).order_by(*needs))
    return [EngineBacklog(row.engine, row.model, row.model_revision, row.jobs, bool(row.diarization)) for row in rows]


def queue_keys_of_lane(connection: sa.Connection, lane: str) -> list[str]:
    """Return what selects the queues of the unfinished jobs of a lane; see `Job.queue_key`."""
    return [each.queue_key for each in backlog_by_engine(connection, lane)]


def backlog_by_tenant(connection: sa.Connection) -> list[TenantBacklog]:
    """Return the backlog of each tenant with unfinished jobs."""
    return [_tenant_backlog(row) for row in connection.execute(_BY_TENANT)]


def backlog_of_tenant(connection: sa.Connection, tenant: str) -> TenantBacklog | None:
    """Return the backlog of one tenant; None without unfinished jobs."""
    row = connection.execute(_BY_TENANT.where(job.c.tenant == tenant)).first()
    return None if row is None else _tenant_backlog(row)


def _tenant_backlog(row: sa.Row[Any]) -> TenantBacklog:
    return TenantBacklog(
        tenant=row.tenant,
        jobs=row.jobs,
        files=int(row.files),
        shards_waiting=int(row.shards_waiting),
        shards_running=int(row.shards_running),
        oldest_sec=max(0.0, row.oldest_sec),
        jobs_waiting=int(row.jobs_waiting),
    )


def webhook_backlog(connection: sa.Connection) -> WebhookBacklog:
    row = connection.execute(_WEBHOOKS).one()
    return WebhookBacklog(pending=row.pending, oldest_sec=max(0.0, row.oldest_sec))
