"""Queries on files. A state is written only if the table of transitions allows it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from batchscribe.database.bulk import insert_rows, lock_rows, rows_of
from batchscribe.database.reader_rows import store_waveform
from batchscribe.database.segment_rows import delete_segments, store_segments
from batchscribe.database.tables import file, job, shard
from batchscribe.errors import JobFileNotFound
from batchscribe.jobs.model import (
    FINAL_FILE_STATES,
    File,
    Job,
    Outcome,
    WrittenTranscript,
    file_id_of,
    seq_of,
    states_before,
)
from batchscribe.wire.choices import FileState, JobState

#: The states of files that a worker may claim: waiting, or claimed by a worker that died.
OPEN_STATES = (FileState.QUEUED, FileState.PROCESSING)


@lru_cache(2048)  # each name of a page is first looked up and then stored
def output_hash(output_uri: str) -> int:
    """Return a signed 64-bit hash of an output URI. If two outputs have the same hash, one is renamed."""
    return int.from_bytes(hashlib.sha256(output_uri.encode()).digest()[:8], "big", signed=True)


def find_taken_outputs(connection: sa.Connection, job_number: int, output_uris: Collection[str]) -> set[str]:
    """Return those of `output_uris` that a file of the job already has.

    Each one is looked up in a subquery of its own. For a join, PostgreSQL, which has no statistics of the new job, may
    read all its files.
    """
    hashes = {output_hash(uri): uri for uri in output_uris}
    wanted = rows_of(connection, list(hashes))
    same = sa.select(file.c.output_hash).where(file.c.job == job_number, file.c.output_hash == wanted.c.value)
    found = connection.scalars(sa.select(same.scalar_subquery()).select_from(wanted))
    return {hashes[value] for value in found if value is not None}


def find_output_holder(connection: sa.Connection, job_number: int, output_uri: str) -> File | None:
    """Return the file of the job that has this output URI."""
    query = sa.select(file).where(file.c.job == job_number, file.c.output_hash == output_hash(output_uri))
    row = connection.execute(query).first()
    return None if row is None else file_of_row(row)


def lock_holders(connection: sa.Connection, item: File, output_uri: str) -> None:
    """Lock this file and the file that has `output_uri` against renaming, until the transaction ends.

    Rows are locked in order, so that two files that want each other's names cannot deadlock.
    """
    either = sa.or_(file.c.seq == item.seq, file.c.output_hash == output_hash(output_uri))
    query = sa.select(file.c.seq).where(file.c.job == item.job_number, either).order_by(file.c.seq)
    lock_rows(connection, query)


def rename(connection: sa.Connection, item: File, output_uri: str) -> bool:
    """Change a file's output URI; return False if the attempt is no longer the current one."""
    new = {"output_uri": output_uri, "output_hash": output_hash(output_uri)}
    return connection.execute(sa.update(file).where(*IS_OURS).values(new), name_attempt(item)).rowcount == 1


def find_transcribed_input(connection: sa.Connection, tenant: str, output_uri: str, *, before_job: int) -> str | None:
    """Return the recording whose transcript the latest earlier job of the tenant wrote to this URI.

    Each job is looked up in a subquery of its own, because the index of output hashes begins with the job.
    """
    same = sa.and_(file.c.job == job.c.number, file.c.output_hash == output_hash(output_uri))
    of_job = sa.select(file.c.input_uri).where(same, file.c.state == FileState.SUCCEEDED).correlate(job)
    earlier = (job.c.tenant == tenant, job.c.number < before_job, job.c.deleted_at.is_(None))
    jobs = sa.select(of_job.scalar_subquery()).where(*earlier)
    found = connection.scalars(jobs.order_by(job.c.number.desc()))
    return next((uri for uri in found if uri is not None), None)


def insert_files(connection: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows with the same columns."""
    hashed = [{**row, "output_hash": output_hash(row["output_uri"]) if row["output_uri"] else None} for row in rows]
    insert_rows(connection, file, hashed)


def open_files(connection: sa.Connection, job_number: int, shard_number: int) -> list[File]:
    """Return the files of a shard that are not in a final state, in order.

    The state is filtered here, because with it in the query PostgreSQL may scan all open files of the job.
    """
    query = sa.select(file).where(file.c.job == job_number, file.c.shard == shard_number).order_by(file.c.seq)
    return [item for item in map(file_of_row, connection.execute(query)) if item.state in OPEN_STATES]


def page_of_files(
    connection: sa.Connection, job_number: int, *, after: int = 0, limit: int = 200, state: FileState | None = None
) -> list[File]:
    """Return the files after `after`, in order of enumeration. The cost does not depend on the position of the page."""
    query = sa.select(file).where(file.c.job == job_number, file.c.seq > after)
    if state is not None:
        query = query.where(file.c.state == state)
    return [file_of_row(row) for row in connection.execute(query.order_by(file.c.seq).limit(limit))]


def page_of_files_in(
    connection: sa.Connection, job_number: int, states: Collection[FileState], *, after: int, limit: int
) -> list[File]:
    """Return a page like `page_of_files` for several states, by merging a page of each."""
    parts = [page_of_files(connection, job_number, after=after, limit=limit, state=state) for state in states]
    return sorted((item for part in parts for item in part), key=lambda item: item.seq)[:limit]


def find_file(connection: sa.Connection, job_number: int, seq: int) -> File | None:
    row = connection.execute(sa.select(file).where(file.c.job == job_number, file.c.seq == seq)).first()
    return None if row is None else file_of_row(row)


def get_file_of(connection: sa.Connection, job_: Job, file_id: str) -> File:
    """Return the file of a job with this ID. Raises `JobFileNotFound`."""
    seq = seq_of(file_id)
    found = None if seq is None else find_file(connection, job_.number, seq)
    if found is None:
        raise JobFileNotFound(f"Job {job_.job_id} has no such file; list its files to see their IDs.")
    return found


def find_neighbors(connection: sa.Connection, job_number: int, seq: int) -> tuple[str | None, str | None]:
    """Return the IDs of the files before and after one in the order of enumeration; None at the ends."""
    before = sa.select(sa.func.max(file.c.seq)).where(file.c.job == job_number, file.c.seq < seq)
    after = sa.select(sa.func.min(file.c.seq)).where(file.c.job == job_number, file.c.seq > seq)
    found = connection.execute(sa.select(before.scalar_subquery(), after.scalar_subquery())).one()
    previous, following = (None if each is None else file_id_of(each) for each in found)
    return previous, following


def files_with_warnings(connection: sa.Connection, job_number: int, *, limit: int) -> list[File]:
    query = sa.select(file).where(file.c.job == job_number, file.c.warnings.is_not(None))
    return [file_of_row(row) for row in connection.execute(query.order_by(file.c.seq).limit(limit))]


def error_codes(connection: sa.Connection, job_number: int, state: FileState) -> dict[str, int]:
    """Count the files of a state by error code, most frequent first. Reads all files of the job."""
    count = sa.func.count()
    query = (
        sa.select(file.c.error_code, count)
        .where(file.c.job == job_number, file.c.state == state)
        .group_by(file.c.error_code)
        .order_by(count.desc())
    )
    return dict(connection.execute(query).all())


def get_file(connection: sa.Connection, job_number: int, seq: int) -> File:
    return file_of_row(connection.execute(sa.select(file).where(file.c.job == job_number, file.c.seq == seq)).one())


# Statements that run for every file are built once, because building one costs more than running it.
# A retry moves a file to another shard and counts its attempts anew, so only both together name an attempt.
IS_OURS = (
    file.c.job == sa.bindparam("of_job"),
    file.c.seq == sa.bindparam("of_seq"),
    file.c.shard.is_not_distinct_from(sa.bindparam("of_shard", type_=sa.Integer)),
    file.c.attempt == sa.bindparam("held_attempt"),
)
_IS_LATEST_RUN = sa.select(shard.c.number).where(
    shard.c.job == sa.bindparam("of_job"),
    shard.c.number == sa.bindparam("of_shard"),
    shard.c.run == sa.bindparam("of_run"),
)
_CLAIM = (
    sa.update(file)
    .where(*IS_OURS, file.c.state.in_(OPEN_STATES), _IS_LATEST_RUN.exists())
    .values(state=FileState.PROCESSING, attempt=file.c.attempt + 1)
)
#: A file in PROCESSING with a known duration: its transcript is being written.
_IS_WRITTEN = sa.and_(file.c.state == FileState.PROCESSING, file.c.duration_sec.is_not(None))
_HAND_BACK = (
    sa.update(file)
    .where(*IS_OURS, file.c.state == FileState.PROCESSING)
    .values(state=FileState.QUEUED, attempt=file.c.attempt - 1)
)
JOB_IS_LIVE = sa.select(job.c.number).where(job.c.number == sa.bindparam("of_job"), job.c.state == JobState.PROCESSING)
# With a lock, so that the job cannot end before the transaction does.
_BEGIN_WRITE = (
    sa.update(file)
    .where(*IS_OURS, file.c.state == FileState.PROCESSING, JOB_IS_LIVE.with_for_update(read=True).exists())
    .values({name: sa.bindparam(f"new_{name}") for name in ("duration_sec", "warnings", "output_digests")})
)
#: The same for a file without digests, of which no segments are stored.
_BEGIN_FIRST_WRITE = _BEGIN_WRITE.where(file.c.output_digests.is_(None))
_END_WRITE = sa.update(file).where(*IS_OURS, _IS_WRITTEN).values(duration_sec=None, warnings=None, output_digests=None)
_MAY_COMMIT = {FileState.SUCCEEDED: sa.or_(JOB_IS_LIVE.exists(), _IS_WRITTEN)}
_COMMIT = {
    state: sa.update(file)
    .where(*IS_OURS, file.c.state.in_(states_before(state)), _MAY_COMMIT.get(state, JOB_IS_LIVE.exists()))
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in ("state", "duration_sec", "error_code", "error_message", "warnings")
        }
    )
    for state in FINAL_FILE_STATES
}


def claim(connection: sa.Connection, item: File, *, run: int) -> bool:
    """Begin the next attempt; return False if the file has changed or another run of its shard has begun."""
    return connection.execute(_CLAIM, name_attempt(item) | {"of_run": run}).rowcount == 1


def requeue(connection: sa.Connection, item: File) -> None:
    """Requeue a file and do not count the attempt, because the file is not the cause of the interruption."""
    connection.execute(_HAND_BACK, name_attempt(item))


def begin_write(connection: sa.Connection, item: File, transcript: WrittenTranscript) -> bool:
    """Record that the transcript is about to be written; return False if the job has ended or the attempt is lost.

    Its segments are stored as long as its digests, whatever becomes of this attempt: a later one may find the
    transcript in storage and write nothing. Search leaves them out until the file has succeeded.
    """
    values = name_attempt(item) | {
        "new_duration_sec": transcript.duration_sec,
        "new_warnings": list(transcript.warnings) or None,
        "new_output_digests": list(transcript.output_digests),
    }
    is_first = connection.execute(_BEGIN_FIRST_WRITE, values).rowcount == 1
    if not is_first and connection.execute(_BEGIN_WRITE, values).rowcount != 1:
        return False
    if not is_first:
        delete_segments(connection, item.job_number, item.seq)
    store_segments(connection, item.job_number, item.seq, transcript.segments)
    if transcript.waveform is not None:
        store_waveform(connection, item, transcript.waveform)
    return True


def end_write(connection: sa.Connection, item: File) -> bool:
    """Record that this attempt has not written a transcript and is not writing one."""
    if connection.execute(_END_WRITE, name_attempt(item)).rowcount != 1:
        return False
    delete_segments(connection, item.job_number, item.seq)
    return True


def files_being_written(connection: sa.Connection, job_number: int, *, shard_number: int | None = None) -> list[File]:
    query = sa.select(file).where(file.c.job == job_number, _IS_WRITTEN)
    if shard_number is not None:
        query = query.where(file.c.shard == shard_number)
    return [file_of_row(row) for row in connection.execute(query)]


def wait_for_commits(connection: sa.Connection, job_number: int) -> None:
    """Wait until all earlier transactions that record the end of a write in this job have ended."""
    lock_rows(connection, sa.select(file.c.seq).where(file.c.job == job_number, _IS_WRITTEN).order_by(file.c.seq))


def commit_outcome(connection: sa.Connection, item: File, outcome: Outcome) -> bool:
    """Write a file's final state; return False if the attempt is no longer the current one or the job has ended.

    A transcript whose write began before the job ended still counts.
    """
    values = {
        "new_state": outcome.state,
        "new_duration_sec": outcome.duration_sec,
        "new_error_code": outcome.error_code,
        "new_error_message": outcome.error_message,
        "new_warnings": list(outcome.warnings) or None,
    }
    return connection.execute(_COMMIT[outcome.state], name_attempt(item) | values).rowcount == 1


def name_attempt(item: File) -> dict[str, Any]:
    """Return the parameters of `IS_OURS` and `JOB_IS_LIVE`."""
    return {
        "of_job": item.job_number,
        "of_seq": item.seq,
        "of_shard": item.shard,
        "held_attempt": item.attempt,
    }


def file_of_row(row: sa.Row[Any]) -> File:
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
        output_digests=tuple(row.output_digests or ()),
    )
