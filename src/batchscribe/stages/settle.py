"""Consistency of storage and rows, even if a job ends while its transcripts are being written.

Every write is recorded before it begins, and it may begin only while the job is live. So when a job ends, each file is
in one of three groups: it is done, its transcript may still appear, or it will never have one. The second group is
almost always empty. Each of its files becomes FILE_SUCCEEDED when its write has succeeded. Until then, the job keeps
its secrets, and its webhook waits. If a writer died, the worker that takes over its shard settles the file. If no
worker is left, that happens at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from batchscribe.database.checkpoint_rows import delete_parts
from batchscribe.database.connect import Connection
from batchscribe.database.file_rows import commit_outcome, end_write, files_being_written
from batchscribe.database.job_rows import get_job, is_live, lock_job
from batchscribe.database.shard_rows import begin_shard, count_outcome, is_latest_run
from batchscribe.database.usage_rows import Usage, add_usage
from batchscribe.errors import BatchscribeError
from batchscribe.jobs.model import File, Job, Outcome
from batchscribe.jobs.sharding import estimated_audio_sec
from batchscribe.queue.records import Records
from batchscribe.stages.checkpoint import LEAST_SEC
from batchscribe.stages.file_trace import end_file_trace
from batchscribe.stages.finish import conclude

log = structlog.get_logger()

LOOK_SEC = 0.05

Look = Callable[[File, Job], Outcome | None]  #: outcome if the transcript is stored; raises `BatchscribeError`


class _JobHasEnded(Exception):
    """The job ended before the outcome was counted: begin again, and lock the job first."""


def record_outcome(job: Job, file: File, outcome: Outcome, records: Records) -> bool:
    """Record a file's final state and count it. Returns False if another attempt has the file or the job has ended."""
    with suppress(_JobHasEnded), records.transaction() as connection:
        return _record(connection, job, file, outcome, records, is_locked=False)
    with records.transaction() as connection:
        lock_job(connection, job.number)
        return _record(connection, job, file, outcome, records, is_locked=True)


def _record(
    connection: Connection, job: Job, file: File, outcome: Outcome, records: Records, *, is_locked: bool
) -> bool:
    """Raises `_JobHasEnded` if the job has ended and is not locked."""
    if not commit_outcome(connection, file, outcome):
        return False
    if outcome.duration_sec is None or outcome.duration_sec >= LEAST_SEC:  # a shorter recording has no checkpoint
        delete_parts(connection, file.job_number, file.seq)
    if file.shard is not None:
        _count(connection, file, file.shard, outcome)
        if not is_live(connection, job.number):  # asked after counting, so the end of a job has read this count or not
            if not is_locked:
                raise _JobHasEnded
            add_usage(connection, job.tenant, _usage_of(outcome))  # that of live jobs is added when their shards end
            conclude(connection, get_job(connection, job.job_id), records)
    return True


def _count(connection: Connection, file: File, shard_number: int, outcome: Outcome) -> None:
    size_bytes = file.size_bytes
    count_outcome(
        connection,
        file.job_number,
        shard_number,
        outcome,
        extra_attempts=max(0, file.attempt - 1),
        estimated_sec=0.0 if size_bytes is None else estimated_audio_sec(file.input_uri, size_bytes),
    )


def _usage_of(outcome: Outcome) -> Usage:
    cost = outcome.cost
    return Usage(1, outcome.duration_sec or 0.0, cost.compute_sec, cost.bytes_in)


def settle_shard(job: Job, number: int, run: int, records: Records, look: Look) -> None:
    """Settle files at the end of a run: none is being written any more. A later run, if any, does it instead."""
    with records.transaction() as connection:
        if not is_latest_run(connection, job.number, number, run):
            return
        files = files_being_written(connection, job.number, shard_number=number)
        has_ended = bool(files) and not is_live(connection, job.number)
    for file in files:
        outcome = _find_outcome(file, job, look) if has_ended else None
        if outcome is not None:
            if record_outcome(job, file, outcome, records):
                end_file_trace(job, file, outcome)
            continue
        with records.transaction() as connection:
            lock_job(connection, job.number)  # if two writes end together, the second sees the first
            if end_write(connection, file) and not is_live(connection, job.number):
                conclude(connection, get_job(connection, job.job_id), records)


def settle_abandoned(job: Job, number: int, records: Records, look: Look) -> None:
    """Settle a shard of an ended job whose worker has died, as `settle_shard` does.

    If that worker was only paused, it can start no more files.
    """
    with records.transaction() as connection:
        if not files_being_written(connection, job.number, shard_number=number):
            return
        run = begin_shard(connection, job.number, number)
    if run is not None:
        settle_shard(job, number, run, records, look)


def wait_settled(job: Job, records: Records, *, within_sec: float) -> bool:
    """Wait until nothing is being written for the job. Returns False if that takes too long."""
    deadline = time.monotonic() + within_sec
    while True:
        with records.transaction() as connection:
            if not files_being_written(connection, job.number):
                return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK_SEC)


def _find_outcome(file: File, job: Job, look: Look) -> Outcome | None:
    try:
        return look(file, job)
    except BatchscribeError as error:
        log.warning("file.unsettled", job_id=job.job_id, file_id=file.file_id, error=str(error))
        return None
