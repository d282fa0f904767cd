"""The counters of shards, which move to the rows of jobs and to the usage of tenants."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from batchscribe.cost import Cost
from batchscribe.database.job_rows import COSTS, is_live, lock_job
from batchscribe.database.queue_positions import LIVE_STATES
from batchscribe.database.shard_rows import add_cost
from batchscribe.database.tables import job, shard
from batchscribe.database.usage_rows import Usage, add_usage
from batchscribe.jobs.model import Job, ShardState


def add_shard_counters(connection: sa.Connection, job_number: int, number: int) -> None:
    """Add the counters of a finished shard to those of its job."""
    counters = ("succeeded", "failed", "skipped", "audio_sec", *COSTS)
    of_shard = sa.select(*(shard.c[name] for name in counters), shard.c.changed_at)
    counted = connection.execute(of_shard.where(shard.c.job == job_number, shard.c.number == number)).mappings().one()
    changed: sa.BindParameter[float] = sa.literal(counted["changed_at"], sa.Double())
    latest = sa.func.coalesce(changed, job.c.changed_at)  # a shard in which no file ended has no time
    values = {
        "shards_done": job.c.shards_done + 1,
        "changed_at": sa.case((job.c.changed_at > changed, job.c.changed_at), else_=latest),
        **{name: job.c[name] + counted[name] for name in counters},
    }
    update = sa.update(job).where(job.c.number == job_number).values(values)
    of_job = connection.execute(update.returning(job.c.tenant, job.c.state)).one()
    if of_job.state in LIVE_STATES:  # otherwise it was added when the job ended
        add_usage(connection, of_job.tenant, _usage_of([counted]))


def add_lost_cost(connection: sa.Connection, item: Job, number: int, cost: Cost) -> None:
    """Add what an attempt at a file of this shard has cost that was interrupted, or lost to another attempt."""
    lock_job(connection, item.number)
    is_running = add_cost(connection, item.number, number, cost)
    if not is_running:  # its counters have moved to the job
        more = {"compute_sec": job.c.compute_sec + cost.compute_sec, "bytes_in": job.c.bytes_in + cost.bytes_in}
        connection.execute(sa.update(job).where(job.c.number == item.number).values(more))
    if not is_running or not is_live(connection, item.number):  # otherwise it is added when the shard ends
        add_usage(connection, item.tenant, Usage(compute_sec=cost.compute_sec, bytes_in=cost.bytes_in))


def count_unfinished_usage(connection: sa.Connection, item: Job) -> None:
    """Add what the running shards of a job have cost so far to the tenant's usage, when the job ends before them."""
    columns = (shard.c[name] for name in ("succeeded", "failed", "skipped", "audio_sec", "compute_sec", "bytes_in"))
    running = sa.select(*columns).where(shard.c.job == item.number, shard.c.state == ShardState.RUNNING)
    locked = running.order_by(shard.c.number).with_for_update(key_share=True)
    if found := connection.execute(locked).mappings().all():
        add_usage(connection, item.tenant, _usage_of(found))


def _usage_of(shards: Sequence[sa.RowMapping]) -> Usage:
    return Usage(
        files=sum(each["succeeded"] + each["failed"] + each["skipped"] for each in shards),
        audio_sec=sum(each["audio_sec"] for each in shards),
        compute_sec=sum(each["compute_sec"] for each in shards),
        bytes_in=sum(each["bytes_in"] for each in shards),
    )
