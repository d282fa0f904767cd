"""Queries on jobs.

The counters of a shard move to the job's row when the shard ends; reading a job adds those of running shards.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import sqlalchemy as sa

from batchscribe.database.bulk import lock_rows
from batchscribe.database.job_clock import RUNNING, last_change
from batchscribe.database.queue_positions import LIVE_STATES, POSITION, positions_of
from batchscribe.database.tables import file, job, shard, waiting
from batchscribe.errors import BatchscribeError, JobNotFound
from batchscribe.jobs.job_progress import Progress
from batchscribe.jobs.model import Cursor, Job, job_states_before
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.jobs.summary import Summary
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState, JobState
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from batchscribe.wire.vocabulary import Vocabulary


class UnreadableJob(Exception):
    """A newer release wrote the job's row, and this release cannot read it."""


#: The limit for the requests on one page of jobs. A manifest may have 4 MiB; a hundred made a response of 90 MB.
MAX_PAGE_CHARS = 4 * 2**20
#: Counters of cost and progress that shards and jobs both have.
COSTS = ("compute_sec", "bytes_in", "extra_attempts", "estimated_done_sec", "estimated_lost_sec")

# Progress is read often, so the statement is built once. It is a single statement, and so a single snapshot: with two,
# the counters of a shard that ends in between would be missing.


def _of_running(counter: sa.ColumnElement[Any], name: str) -> sa.Label[Any]:
    total = sa.select(sa.func.coalesce(sa.func.sum(counter), 0)).where(RUNNING)
    return total.correlate(job).scalar_subquery().label(name)


_PROCESSING_FILES = (
    sa.select(sa.func.count())
    .select_from(file)
    .where(
        file.c.job == job.c.number,
        file.c.shard.in_(sa.select(shard.c.number).where(RUNNING).correlate(job)),
        file.c.state == FileState.PROCESSING,
    )
    .correlate(job)
    .scalar_subquery()
)
_JOBS = sa.select(
    job,
    _of_running(shard.c.succeeded, "running_succeeded"),
    _of_running(shard.c.failed, "running_failed"),
    _of_running(shard.c.skipped, "running_skipped"),
    _of_running(shard.c.audio_sec, "running_audio_sec"),
    *(_of_running(shard.c[name], f"running_{name}") for name in COSTS),
    last_change().label("last_change_at"),
    _PROCESSING_FILES.label("processing"),
    sa.exists().where(waiting.c.job == job.c.number).correlate(job).label("waits"),
)
_JOB = _JOBS.add_columns(POSITION.label("queue_position"))
BY_ID = _JOB.where(job.c.job_id == sa.bindparam("of_job_id"))
_IS_SHOWN = job.c.deleted_at.is_(None)
_SHOWN = BY_ID.where(job.c.tenant == sa.bindparam("of_tenant"), _IS_SHOWN)
_REQUEST_CHARS = sa.func.length(sa.cast(job.c.request, sa.Text))
_STATE = sa.select(job.c.state).where(job.c.number == sa.bindparam("of_job"))


def insert_job(connection: sa.Connection, new: Job, *, fingerprint: str) -> Job:
    """Store a new job and return it with its number."""
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
            **_vocabulary_of_asset(new),
            **({} if new.traceparent is None else {"traceparent": new.traceparent}),
        },
        "sources": [asdict(source) for source in new.sources],
        "file_roots": list(new.file_roots),
        "s3": dict(new.storage_settings),
        "engine": new.engine,
        "model": new.model,
        "model_revision": new.model_revision,
        "speed": new.speed,
        "tracking_id": new.tracking_id,
        "secrets": None if new.secrets is None else sorted(new.secrets),
        "fingerprint": fingerprint,
    }
    connection.execute(sa.insert(job).values(values))
    return get_job(connection, new.job_id)


def _vocabulary_of_asset(new: Job) -> JsonObject:
    """Return a copy for the job's row, so that the stored vocabulary may be deleted. An inline one is in `config`."""
    if new.vocabulary is None or new.config.vocabulary is not None:
        return {}
    return {"vocabulary": new.vocabulary.echo()}


def get_job(connection: sa.Connection, job_id: str) -> Job:
    """Return the job. Raises `JobNotFound` and `UnreadableJob`."""
    found = find_job(connection, job_id)
    if found is None:
        raise JobNotFound(f"There is no job {job_id}; `batchscribe jobs list` shows all jobs.")
    return found


def get_shown_job(connection: sa.Connection, job_id: str) -> Job:
    """Return the job of any tenant. Raises `JobNotFound`, also for deleted jobs, and `UnreadableJob`."""
    found = get_job(connection, job_id)
    return get_job_of(connection, found.tenant, job_id)


def lock_job(connection: sa.Connection, number: int) -> None:
    """Lock the job until the transaction ends, so that transactions that read several of its rows run one by one."""
    lock_rows(connection, sa.select(job.c.number).where(job.c.number == number))


def find_job(connection: sa.Connection, job_id: str) -> Job | None:
    """Return the job, or None. Raises `UnreadableJob`."""
    if "\0" in job_id:  # PostgreSQL does not accept NUL in text
        return None
    row = connection.execute(BY_ID, {"of_job_id": job_id}).first()
    return None if row is None else _job(row, row.queue_position)


def get_job_of(connection: sa.Connection, tenant: str, job_id: str) -> Job:
    """Return a job of the tenant. Raises `JobNotFound`, also for deleted jobs and those of other tenants."""
    if "\0" not in job_id:  # PostgreSQL does not accept NUL in text
        row = connection.execute(_SHOWN, {"of_job_id": job_id, "of_tenant": tenant}).first()
        if row is not None:
            return _job(row, row.queue_position)
    raise JobNotFound(f"There is no job {job_id}.")


def page_of_jobs(
    connection: sa.Connection, tenant: str, *, before: int | None, limit: int, state: JobState | None = None
) -> tuple[list[Job], int | None]:
    """Return the tenant's jobs with numbers below `before`, newest first, and the last number if there are more.

    A page ends early if its requests would have more than `MAX_PAGE_CHARS`. A job that is deleted meanwhile is missing.
    """
    wanted = [job.c.tenant == tenant, _IS_SHOWN]
    if state is not None:
        wanted.append(job.c.state == state)
    if before is not None:
        wanted.append(job.c.number < before)
    newest = sa.select(job.c.number, _REQUEST_CHARS).where(*wanted).order_by(job.c.number.desc()).limit(limit + 1)
    found = [(number, chars) for number, chars in connection.execute(newest)]
    numbers = _of_one_page(found[:limit])
    page = _JOBS.where(job.c.number.in_(numbers), _IS_SHOWN).order_by(job.c.number.desc())
    return _jobs(connection, page), numbers[-1] if len(found) > len(numbers) else None


def _of_one_page(found: Sequence[tuple[int, int]]) -> list[int]:
    """Return the numbers of the jobs that fit on a page, always including the first."""
    chars = accumulate(chars for _, chars in found)
    return [
        number
        for place, ((number, _), sum_chars) in enumerate(zip(found, chars, strict=True))
        if place == 0 or sum_chars <= MAX_PAGE_CHARS
    ]


def find_unfinished_twin(connection: sa.Connection, fingerprint: str) -> Job | None:
    """Return the newest unfinished job with the same request."""
    query = _JOB.where(job.c.fingerprint == fingerprint, job.c.state.in_(LIVE_STATES)).order_by(job.c.number.desc())
    row = connection.execute(query.limit(1)).first()
    return None if row is None else _job(row, row.queue_position)


def newest_jobs(connection: sa.Connection, *, limit: int, state: JobState | None = None) -> list[Job]:
    query = _JOBS.where(_IS_SHOWN, *([job.c.state == state] if state else []))
    return _jobs(connection, query.order_by(job.c.number.desc()).limit(limit))


def _jobs(connection: sa.Connection, query: sa.Select[Any]) -> list[Job]:
    """Return the jobs that `query` selects from `_JOBS`. Raises `UnreadableJob`."""
    rows = connection.execute(query).all()
    position_of = positions_of(connection, rows)
    return [_job(row, position_of.get(row.number)) for row in rows]


def is_live(connection: sa.Connection, number: int) -> bool:
    """Return whether the job has not ended."""
    return connection.scalar(_STATE, {"of_job": number}) in LIVE_STATES


def begin_job(connection: sa.Connection, item: Job) -> bool:
    """Set the job to PROCESSING; return False if it has ended."""
    return _update(connection, item, LIVE_STATES, state=JobState.PROCESSING)


def bind_job(
    connection: sa.Connection, item: Job, *, engine: str, model: str | None, revision: str | None, speed: float
) -> None:
    """Bind a live job without a model to an engine, unless another worker has bound it or listed files meanwhile."""
    is_open = (job.c.model.is_(None), job.c.engine == item.engine, job.c.last_seq == 0)
    _update(connection, item, LIVE_STATES, *is_open, engine=engine, model=model, model_revision=revision, speed=speed)


def end_job(connection: sa.Connection, item: Job, state: JobState, *, error: BatchscribeError | None = None) -> bool:
    """Write the final state; return False if the job had already ended, even if it was retried since."""
    return _update(
        connection,
        item,
        job_states_before(state),
        state=state,
        completed_at=time.time(),
        retry_after=None,
        error_code=error.code if error else None,
        error_message=error.message if error else None,
    )


def advance(connection: sa.Connection, item: Job, cursor: Cursor, found: Summary, *, audio_sec: float) -> bool:
    """Move the cursor past a page and count the files on it; return False if another worker moved it first."""
    statement = (
        sa.update(job)
        .where(
            job.c.number == item.number,
            job.c.state == JobState.PROCESSING,
            job.c.cursor_source == item.cursor.source,
            job.c.cursor_after.is_not_distinct_from(item.cursor.after),
            job.c.last_seq == item.cursor.seq,
            job.c.last_shard == item.cursor.shard,
            job.c.listed.is_(False),
            job.c.retry_after.is_(None),
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


def is_complete(connection: sa.Connection, number: int) -> bool:
    """Return whether all files have been listed, and requeued if the job is retried, and all shards are done."""
    done = sa.and_(job.c.listed, job.c.retry_after.is_(None), job.c.shards_done == job.c.last_shard)
    return bool(connection.scalar(sa.select(done).where(job.c.number == number)))


def _update(
    connection: sa.Connection,
    item: Job,
    from_states: Sequence[JobState],
    *conditions: sa.ColumnElement[bool],
    **values: Any,
) -> bool:
    is_it = (job.c.number == item.number, job.c.retry_number == item.retry_number)
    statement = sa.update(job).where(*is_it, job.c.state.in_(from_states), *conditions).values(**values)
    return connection.execute(statement).rowcount == 1


def _job(row: sa.Row[Any], queue_position: int | None) -> Job:
    """Raises `UnreadableJob`."""
    try:
        return _read_job(row, queue_position)
    except ValueError as error:
        raise UnreadableJob(f"The row of {row.job_id} cannot be read; a newer release may have written it.") from error


def _read_job(row: sa.Row[Any], queue_position: int | None) -> Job:
    request, config = row.request, Config.model_validate(row.request["config"])
    asset = request.get("vocabulary")
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
        config=config,
        vocabulary=config.vocabulary if asset is None else Vocabulary.model_validate(asset),
        engine=row.engine,
        model=row.model,
        model_revision=row.model_revision,
        speed=row.speed,
        sources=tuple(_source(values) for values in row.sources),
        file_roots=tuple(row.file_roots),
        storage_settings=row.s3,
        summary=_summary(row),
        progress=_progress(row, queue_position),
        compute_sec=row.compute_sec + row.running_compute_sec,
        bytes_in=row.bytes_in + int(row.running_bytes_in),  # a sum of big integers is a Decimal on PostgreSQL
        extra_attempts=row.extra_attempts + row.running_extra_attempts,
        cursor=Cursor(row.cursor_source, row.cursor_after, row.last_seq, row.last_shard, row.listed),
        error_code=row.error_code,
        error_message=row.error_message,
        tracking_id=row.tracking_id,
        traceparent=request.get("traceparent"),
        credentials_version=row.credentials_version,
        retry_number=row.retry_number,
        secrets=None if row.secrets is None else frozenset(row.secrets),
        waits_for_credentials=row.waits,
    )


def _source(values: dict[str, Any]) -> Source:
    return Source(SourceKind(values["kind"]), values["uri"], tuple(values["include"]), tuple(values["exclude"]))


def _summary(row: sa.Row[Any]) -> Summary:
    succeeded = row.succeeded + row.running_succeeded
    failed, skipped = row.failed + row.running_failed, row.skipped + row.running_skipped
    return Summary(
        total_files=row.total_files,
        queued=row.total_files - succeeded - failed - skipped - row.processing,
        processing=row.processing,
        succeeded=succeeded,
        failed=failed,
        skipped=skipped,
        audio_sec=row.audio_sec + row.running_audio_sec,
    )


def _progress(row: sa.Row[Any], queue_position: int | None) -> Progress:
    return Progress(
        estimated_sec=row.estimated_audio_sec,
        estimated_done_sec=row.estimated_done_sec + row.running_estimated_done_sec,
        estimated_lost_sec=row.estimated_lost_sec + row.running_estimated_lost_sec,
        begun_at=row.begun_at,
        changed_at=row.last_change_at,
        queue_position=queue_position,
    )
