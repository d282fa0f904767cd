"""Queries on jobs.

Counters move from the shard rows to the job row when a shard ends; reading a job adds those of the running ones.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from batchscribe.database.tables import file, job, shard
from batchscribe.errors import BatchscribeError, JobNotFound
from batchscribe.jobs.model import Cursor, Job, ShardState, job_states_before
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.jobs.summary import Summary
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from batchscribe.wire.states import FileState, JobState

LIVE_STATES = (JobState.QUEUED, JobState.PROCESSING)

# Progress is asked for all the time, so its statements are built once.
_BY_ID = sa.select(job).where(job.c.job_id == sa.bindparam("of_job_id"))
_IS_RUNNING = sa.and_(shard.c.job == sa.bindparam("of_job"), shard.c.state == ShardState.RUNNING)
_RUNNING_COUNTERS = sa.select(
    *(sa.func.coalesce(sa.func.sum(counter), 0) for counter in (shard.c.succeeded, shard.c.failed, shard.c.skipped)),
    sa.func.coalesce(sa.func.sum(shard.c.audio_sec), 0.0),
).where(_IS_RUNNING)
_PROCESSING_FILES = (
    sa.select(sa.func.count())
    .select_from(file)
    .where(
        file.c.job == sa.bindparam("of_job"),
        file.c.shard.in_(sa.select(shard.c.number).where(_IS_RUNNING)),
        file.c.state == FileState.PROCESSING,
    )
)
_STATE = sa.select(job.c.state).where(job.c.number == sa.bindparam("of_job"))


def insert_job(connection: sa.Connection, new: Job, *, fingerprint: str) -> Job:
    """Store a new job; the returned one carries its number."""
    values = {
        "job_id": new.job_id,
        "tenant": new.tenant,
        "lane": new.lane,
        "state": new.state,
        "submitted_at": new.submitted_at.timestamp(),
        "request": {
            "input": dict(new.input),
            "output": new.output.echo(),
            "config": new.config.echo(),
            "reference_id": new.reference_id,
        },
        "sources": [asdict(source) for source in new.sources],
        "file_roots": list(new.file_roots),
        "s3": dict(new.s3),
        "engine": new.engine,
        "fingerprint": fingerprint,
    }
    connection.execute(sa.insert(job).values(values))
    return get_job(connection, new.job_id)


def get_job(connection: sa.Connection, job_id: str) -> Job:
    """Raises `JobNotFound`."""
    found = find_job(connection, job_id)
    if found is None:
        raise JobNotFound(f"There is no job {job_id}; `batchscribe jobs list` shows the jobs there are.")
    return found


def find_job(connection: sa.Connection, job_id: str) -> Job | None:
    row = connection.execute(_BY_ID, {"of_job_id": job_id}).first()
    return None if row is None else _job(connection, row)


def unfinished_twin(connection: sa.Connection, fingerprint: str) -> Job | None:
    """The newest unfinished job that was asked for with the same words."""
    query = (
        sa.select(job)
        .where(job.c.fingerprint == fingerprint, job.c.state.in_(LIVE_STATES))
        .order_by(job.c.number.desc())
    )
    row = connection.execute(query.limit(1)).first()
    return None if row is None else _job(connection, row)


def newest_jobs(connection: sa.Connection, *, limit: int) -> list[Job]:
    rows = connection.execute(sa.select(job).order_by(job.c.number.desc()).limit(limit)).all()
    return [_job(connection, row) for row in rows]


def is_live(connection: sa.Connection, number: int) -> bool:
    """False once the job has ended."""
    return connection.scalar(_STATE, {"of_job": number}) in LIVE_STATES


def begin_job(connection: sa.Connection, item: Job) -> bool:
    """Let the work begin, or go on; False when the job has ended."""
    states = (*job_states_before(JobState.PROCESSING), JobState.PROCESSING)
    return _update(connection, item.number, states, state=JobState.PROCESSING)


def end_job(connection: sa.Connection, item: Job, state: JobState, *, error: BatchscribeError | None = None) -> bool:
    """Write the final state; False when the job had ended before."""
    return _update(
        connection,
        item.number,
        job_states_before(state),
        state=state,
        completed_at=time.time(),
        error_code=error.code if error else None,
        error_message=error.message if error else None,
    )


def advance(connection: sa.Connection, item: Job, cursor: Cursor, found: Summary, *, audio_sec: float) -> bool:
    """Move the cursor over a page and count what was `found` on it; False when another worker moved it first."""
    statement = (
        sa.update(job)
        .where(
            job.c.number == item.number,
            job.c.state == JobState.PROCESSING,
            job.c.cursor_source == item.cursor.source,
            job.c.cursor_after.is_not_distinct_from(item.cursor.after),
            job.c.last_seq == item.cursor.seq,
            job.c.listed.is_(False),
        )
        .values(
            cursor_source=cursor.source,
            cursor_after=cursor.after,
            last_seq=cursor.seq,
            last_shard=cursor.shard,
            listed=cursor.listed,
            total_files=job.c.total_files + found.total_files,
            failed=job.c.failed + found.failed,
            skipped=job.c.skipped + found.skipped,
            estimated_audio_sec=job.c.estimated_audio_sec + audio_sec,
        )
    )
    return connection.execute(statement).rowcount == 1


def take_in_shard(connection: sa.Connection, job_number: int, number: int) -> None:
    """Add a finished shard's counters to its job's."""
    counters = ("succeeded", "failed", "skipped", "audio_sec")
    of_shard = sa.select(*(shard.c[name] for name in counters))
    counted = connection.execute(of_shard.where(shard.c.job == job_number, shard.c.number == number)).one()
    sums = {name: job.c[name] + value for name, value in zip(counters, counted, strict=True)}
    connection.execute(
        sa.update(job).where(job.c.number == job_number).values({"shards_done": job.c.shards_done + 1, **sums})
    )


def all_is_done(connection: sa.Connection, number: int) -> bool:
    """True when everything was listed and every shard is done."""
    done = sa.and_(job.c.listed, job.c.shards_done == job.c.last_shard)
    return bool(connection.scalar(sa.select(done).where(job.c.number == number)))


def _update(connection: sa.Connection, number: int, from_states: Sequence[JobState], **values: Any) -> bool:
    statement = sa.update(job).where(job.c.number == number, job.c.state.in_(from_states)).values(**values)
    return connection.execute(statement).rowcount == 1


def _job(connection: sa.Connection, row: sa.Row[Any]) -> Job:
    request = row.request
    return Job(
        number=row.number,
        job_id=row.job_id,
        tenant=row.tenant,
        lane=row.lane,
        state=JobState(row.state),
        submitted_at=datetime.fromtimestamp(row.submitted_at, UTC),
        completed_at=None if row.completed_at is None else datetime.fromtimestamp(row.completed_at, UTC),
        reference_id=request["reference_id"],
        input=request["input"],
        output=Output.model_validate(request["output"]),
        config=Config.model_validate(request["config"]),
        engine=row.engine,
        sources=tuple(_source(values) for values in row.sources),
        file_roots=tuple(row.file_roots),
        s3=row.s3,
        summary=_summary(connection, row),
        estimated_audio_sec=row.estimated_audio_sec,
        cursor=Cursor(row.cursor_source, row.cursor_after, row.last_seq, row.last_shard, row.listed),
        error_code=row.error_code,
        error_message=row.error_message,
    )


def _source(values: dict[str, Any]) -> Source:
    return Source(SourceKind(values["kind"]), values["uri"], tuple(values["include"]), tuple(values["exclude"]))


def _summary(connection: sa.Connection, row: sa.Row[Any]) -> Summary:
    of_job = {"of_job": row.number}
    running = connection.execute(_RUNNING_COUNTERS, of_job).one()
    processing = connection.scalar(_PROCESSING_FILES, of_job) or 0
    succeeded, failed, skipped = row.succeeded + running[0], row.failed + running[1], row.skipped + running[2]
    return Summary(
        total_files=row.total_files,
        queued=row.total_files - succeeded - failed - skipped - processing,
        processing=processing,
        succeeded=succeeded,
        failed=failed,
        skipped=skipped,
        audio_sec=row.audio_sec + running[3],
    )
