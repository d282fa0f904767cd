"""Queries on files. A state is written only where the transition table allows the move."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from batchscribe.database.bulk import insert_rows, rows_of
from batchscribe.database.locks import lock_rows
from batchscribe.database.tables import file, job, shard
from batchscribe.jobs.model import FINAL_FILE_STATES, File, states_before
from batchscribe.jobs.outcome import Outcome
from batchscribe.wire.states import FileState, JobState

#: A file that a worker may take: waiting, or held by a worker that died.
OPEN_STATES = (FileState.QUEUED, FileState.PROCESSING)


@lru_cache(2048)  # of a page's names, each is looked up and then stored
def output_hash(output_uri: str) -> int:
    """A signed 64-bit name for an output URI; two outputs that share one by chance are told apart by renaming."""
    return int.from_bytes(hashlib.sha256(output_uri.encode()).digest()[:8], "big", signed=True)


def taken_outputs(connection: sa.Connection, job_number: int, output_uris: Collection[str]) -> set[str]:
    """Those of `output_uris` that a file of the job already has.

    Each one is looked up by itself. Asked for as a set, PostgreSQL reads all files of the job for want of statistics.
    """
    hashes = {output_hash(uri): uri for uri in output_uris}
    asked = rows_of(connection, list(hashes))
    same = sa.select(file.c.output_hash).where(file.c.job == job_number, file.c.output_hash == asked.c.value)
    found = connection.scalars(sa.select(same.scalar_subquery()).select_from(asked))
    return {hashes[value] for value in found if value is not None}


def holder_of(connection: sa.Connection, job_number: int, output_uri: str) -> File | None:
    """The file of the job that has this output name."""
    query = sa.select(file).where(file.c.job == job_number, file.c.output_hash == output_hash(output_uri))
    row = connection.execute(query).first()
    return None if row is None else _file(row)


def lock_holders(connection: sa.Connection, item: File, output_uri: str) -> None:
    """Until the transaction ends nobody renames this file, nor the file that has `output_uri`.

    In order, so that two files that want each other's names do not wait for each other.
    """
    either = sa.or_(file.c.seq == item.seq, file.c.output_hash == output_hash(output_uri))
    query = sa.select(file.c.seq).where(file.c.job == item.job_number, either).order_by(file.c.seq)
    lock_rows(connection, query)


def rename(connection: sa.Connection, item: File, output_uri: str) -> bool:
    """Give a file another output name; False when the attempt is no longer ours."""
    held = (file.c.job == item.job_number, file.c.seq == item.seq, file.c.attempt == item.attempt)
    new = {"output_uri": output_uri, "output_hash": output_hash(output_uri)}
    return connection.execute(sa.update(file).where(*held).values(new)).rowcount == 1


def input_transcribed_to(connection: sa.Connection, tenant: str, output_uri: str, *, before_job: int) -> str | None:
    """The recording whose transcript an earlier job of the tenant wrote under this name, the latest job first.

    Each job is asked by itself, along the index of its names: over all jobs there is none.
    """
    same = sa.and_(file.c.job == job.c.number, file.c.output_hash == output_hash(output_uri))
    of_job = sa.select(file.c.input_uri).where(same, file.c.state == FileState.SUCCEEDED).correlate(job)
    jobs = sa.select(of_job.scalar_subquery()).where(job.c.tenant == tenant, job.c.number < before_job)
    found = connection.scalars(jobs.order_by(job.c.number.desc()))
    return next((uri for uri in found if uri is not None), None)


def insert_files(connection: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows of the same columns."""
    hashed = [{**row, "output_hash": output_hash(row["output_uri"]) if row["output_uri"] else None} for row in rows]
    insert_rows(connection, file, hashed)


def open_files(connection: sa.Connection, job_number: int, shard_number: int) -> list[File]:
    """The files of a shard that still have no final state, in order.

    The state is looked at here: asked for it, PostgreSQL may look through all open files of the job for this shard's.
    """
    query = sa.select(file).where(file.c.job == job_number, file.c.shard == shard_number).order_by(file.c.seq)
    return [item for item in map(_file, connection.execute(query)) if item.state in OPEN_STATES]


def page_of_files(
    connection: sa.Connection, job_number: int, *, after: int = 0, limit: int = 200, state: FileState | None = None
) -> list[File]:
    """Files in order of enumeration, after `after`; the cost does not depend on how deep the page lies."""
    query = sa.select(file).where(file.c.job == job_number, file.c.seq > after)
    if state is not None:
        query = query.where(file.c.state == state)
    return [_file(row) for row in connection.execute(query.order_by(file.c.seq).limit(limit))]


def page_of_files_in(
    connection: sa.Connection, job_number: int, states: Collection[FileState], *, after: int, limit: int
) -> list[File]:
    """As `page_of_files`, for several states: each is read along its own index, then they are merged."""
    parts = [page_of_files(connection, job_number, after=after, limit=limit, state=state) for state in states]
    return sorted((item for part in parts for item in part), key=lambda item: item.seq)[:limit]


def find_file(connection: sa.Connection, job_number: int, seq: int) -> File | None:
    row = connection.execute(sa.select(file).where(file.c.job == job_number, file.c.seq == seq)).first()
    return None if row is None else _file(row)


def files_with_warnings(connection: sa.Connection, job_number: int, *, limit: int) -> list[File]:
    query = sa.select(file).where(file.c.job == job_number, file.c.warnings.is_not(None))
    return [_file(row) for row in connection.execute(query.order_by(file.c.seq).limit(limit))]


def error_codes(connection: sa.Connection, job_number: int, state: FileState) -> dict[str, int]:
    """How many files of a state have each code, the most frequent first. Reads all files of the job."""
    count = sa.func.count()
    query = (
        sa.select(file.c.error_code, count)
        .where(file.c.job == job_number, file.c.state == state)
        .group_by(file.c.error_code)
        .order_by(count.desc())
    )
    return dict(connection.execute(query).all())


def get_file(connection: sa.Connection, job_number: int, seq: int) -> File:
    return _file(connection.execute(sa.select(file).where(file.c.job == job_number, file.c.seq == seq)).one())


# The statements that run for every file are built once: building one costs more than running it.
_IS_OURS = (
    file.c.job == sa.bindparam("of_job"),
    file.c.seq == sa.bindparam("of_seq"),
    file.c.attempt == sa.bindparam("held_attempt"),
)
_IS_LATEST_RUN = sa.select(shard.c.number).where(
    shard.c.job == sa.bindparam("of_job"),
    shard.c.number == sa.bindparam("of_shard"),
    shard.c.run == sa.bindparam("of_run"),
)
_CLAIM = (
    sa.update(file)
    .where(*_IS_OURS, file.c.state.in_(OPEN_STATES), _IS_LATEST_RUN.exists())
    .values(state=FileState.PROCESSING, attempt=file.c.attempt + 1)
)
#: A file in work whose duration is known: its transcript is being written.
_IS_WRITTEN = sa.and_(file.c.state == FileState.PROCESSING, file.c.duration_sec.is_not(None))
_HAND_BACK = (
    sa.update(file)
    .where(*_IS_OURS, file.c.state == FileState.PROCESSING)
    .values(state=FileState.QUEUED, attempt=file.c.attempt - 1)
)
_JOB_IS_LIVE = sa.select(job.c.number).where(job.c.number == sa.bindparam("of_job"), job.c.state == JobState.PROCESSING)
# With a lock, so that a job does not end between the look at it and the end of the transaction.
_BEGIN_WRITE = (
    sa.update(file)
    .where(*_IS_OURS, file.c.state == FileState.PROCESSING, _JOB_IS_LIVE.with_for_update(read=True).exists())
    .values(duration_sec=sa.bindparam("new_duration_sec"))
)
_END_WRITE = sa.update(file).where(*_IS_OURS, _IS_WRITTEN).values(duration_sec=None)
_MAY_COMMIT = {FileState.SUCCEEDED: sa.or_(_JOB_IS_LIVE.exists(), _IS_WRITTEN)}
_COMMIT = {
    state: sa.update(file)
    .where(*_IS_OURS, file.c.state.in_(states_before(state)), _MAY_COMMIT.get(state, _JOB_IS_LIVE.exists()))
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in ("state", "duration_sec", "error_code", "error_message", "warnings")
        }
    )
    for state in FINAL_FILE_STATES
}


def claim(connection: sa.Connection, item: File, *, run: int) -> bool:
    """Begin the next attempt; False when the file has changed, or another run of its shard has begun."""
    return connection.execute(_CLAIM, _held(item) | {"of_shard": item.shard, "of_run": run}).rowcount == 1


def hand_back(connection: sa.Connection, item: File) -> None:
    """Give up an attempt as if it had never begun: the worker stops, and the file is not to blame."""
    connection.execute(_HAND_BACK, _held(item))


def begin_write(connection: sa.Connection, item: File, duration_sec: float) -> bool:
    """Put on record that the transcript is about to be written; False when the job has ended or lost the attempt."""
    return connection.execute(_BEGIN_WRITE, _held(item) | {"new_duration_sec": duration_sec}).rowcount == 1


def end_write(connection: sa.Connection, item: File) -> bool:
    """Put on record that no transcript of this attempt is being written any more, nor was."""
    return connection.execute(_END_WRITE, _held(item)).rowcount == 1


def files_being_written(connection: sa.Connection, job_number: int, *, shard_number: int | None = None) -> list[File]:
    query = sa.select(file).where(file.c.job == job_number, _IS_WRITTEN)
    if shard_number is not None:
        query = query.where(file.c.shard == shard_number)
    return [_file(row) for row in connection.execute(query)]


def wait_for_commits(connection: sa.Connection, job_number: int) -> None:
    """Until no transaction that began before is about to say what became of a transcript being written."""
    lock_rows(connection, sa.select(file.c.seq).where(file.c.job == job_number, _IS_WRITTEN))


def commit_outcome(connection: sa.Connection, item: File, outcome: Outcome) -> bool:
    """Write a file's final state; False when the attempt is no longer ours or the job has ended meanwhile.

    A transcript whose writing had begun before the job ended counts.
    """
    values = {
        "new_state": outcome.state,
        "new_duration_sec": outcome.duration_sec,
        "new_error_code": outcome.error_code,
        "new_error_message": outcome.error_message,
        "new_warnings": list(outcome.warnings) or None,
    }
    return connection.execute(_COMMIT[outcome.state], _held(item) | values).rowcount == 1


def _held(item: File) -> dict[str, Any]:
    return {"of_job": item.job_number, "of_seq": item.seq, "held_attempt": item.attempt}


def _file(row: sa.Row[Any]) -> File:
    return File(
        job_number=row.job,
        seq=row.seq,
        shard=row.shard,
        input_uri=row.input_uri,
        output_uri=row.output_uri,
        size_bytes=row.size_bytes,
        state=FileState(row.state),
        attempt=row.attempt,
        duration_sec=row.duration_sec,
        error_code=row.error_code,
        error_message=row.error_message,
        warnings=tuple(row.warnings or ()),
    )
