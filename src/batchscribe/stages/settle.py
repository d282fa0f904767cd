"""What is on storage and what the rows say agree, also where a job ended while its transcripts were being written.

Before a transcript is written that is put on record, and only while the job is under way. So when a job ends, its files
are told apart: those that are done, those whose transcript may still come to be, and all others, of which there will
never be one. Of the second kind there are hardly ever any; each becomes FILE_SUCCEEDED when its write has succeeded.
Until then the job keeps its secrets, and its webhook waits. A writer that died is found out about by whoever takes
over its shard, or right away where nobody is left to do that.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from batchscribe.database.file_rows import commit_outcome, end_write, files_being_written
from batchscribe.database.job_rows import is_live, lock_job
from batchscribe.database.shard_rows import begin_shard, count_outcome, is_latest_run
from batchscribe.errors import BatchscribeError
from batchscribe.jobs.model import File, Job, Outcome
from batchscribe.queue.records import Records
from batchscribe.stages.finish import conclude

log = structlog.get_logger()

LOOK_SEC = 0.05

Look = Callable[[File, Job], Outcome | None]  #: the outcome when the transcript is there; raises `BatchscribeError`


def record_outcome(connection: sa.Connection, job: Job, file: File, outcome: Outcome, records: Records) -> bool:
    """Write a file's final state and count it; False when the attempt is no longer ours or the job has ended."""
    if not commit_outcome(connection, file, outcome):
        return False
    if file.shard is not None and not count_outcome(connection, job.number, file.shard, outcome):
        _conclude(connection, job, records)
    return True


def settle_shard(job: Job, number: int, run: int, records: Records, look: Look) -> None:
    """At the end of a run: none of its files is being written any more. Leaves all to a later run, if there is one."""
    with records.transaction() as connection:
        if not is_latest_run(connection, job.number, number, run):
            return
        files = files_being_written(connection, job.number, shard_number=number)
        has_ended = bool(files) and not is_live(connection, job.number)
    for file in files:
        outcome = _found(file, job, look) if has_ended else None
        with records.transaction() as connection:
            if outcome is not None:
                record_outcome(connection, job, file, outcome, records)
            elif end_write(connection, file) and not is_live(connection, job.number):
                _conclude(connection, job, records)


def settle_abandoned(job: Job, number: int, records: Records, look: Look) -> None:
    """As `settle_shard`, for an ended job whose worker has died; should that wake up, it begins nothing."""
    with records.transaction() as connection:
        if not files_being_written(connection, job.number, shard_number=number):
            return
        run = begin_shard(connection, job.number, number)
    if run is not None:
        settle_shard(job, number, run, records, look)


def wait_settled(job: Job, records: Records, *, within_sec: float) -> bool:
    """Until nothing is being written for the job; False when that takes longer."""
    deadline = time.monotonic() + within_sec
    while True:
        with records.transaction() as connection:
            if not files_being_written(connection, job.number):
                return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK_SEC)


def _found(file: File, job: Job, look: Look) -> Outcome | None:
    try:
        return look(file, job)
    except BatchscribeError as error:
        log.warning("file.unsettled", job_id=job.job_id, file_id=file.file_id, error=str(error))
        return None


def _conclude(connection: sa.Connection, job: Job, records: Records) -> None:
    lock_job(connection, job.number)  # of two writes that end together, the later one sees the earlier
    conclude(connection, job, records)
