"""Queries on the checkpoints of files in progress, which are stored in parts."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from batchscribe.database.file_rows import IS_OURS, JOB_IS_LIVE, name_attempt
from batchscribe.database.tables import checkpoint, file, job
from batchscribe.jobs.model import File
from batchscribe.wire.choices import FileState


@dataclass(frozen=True, slots=True)
class CheckpointPart:
    """A part of a file's checkpoint. `number` counts from 1 over all attempts."""

    number: int
    n_known: int  #: windows that are stored without a gap, with this part
    identity: str  #: stands for everything that determines the transcript
    key_id: str
    sealed: bytes


# Locks the rows of the file and the job, so that neither can end before the transaction does.
_HELD = (
    sa.select(
        file.c.job,
        file.c.seq,
        file.c.attempt,
        sa.bindparam("new_part", type_=sa.Integer),
        sa.bindparam("new_n_known", type_=sa.Integer),
        sa.bindparam("new_identity", type_=sa.String),
        sa.bindparam("new_key_id", type_=sa.String),
        sa.bindparam("new_sealed", type_=sa.LargeBinary),
    )
    .where(*IS_OURS, file.c.state == FileState.PROCESSING, JOB_IS_LIVE.with_for_update(read=True).exists())
    .with_for_update(read=True)
)
_ADD = (
    sa.insert(checkpoint)
    .from_select(["job", "seq", "attempt", "part", "n_known", "identity", "key_id", "sealed"], _HELD)
    .returning(checkpoint.c.part)
)


def add_part(connection: sa.Connection, item: File, part: CheckpointPart) -> bool:
    """Add a part; return False if the attempt is no longer the current one or the job has ended."""
    values = {
        "new_part": part.number,
        "new_n_known": part.n_known,
        "new_identity": part.identity,
        "new_key_id": part.key_id,
        "new_sealed": part.sealed,
    }
    return connection.execute(_ADD, name_attempt(item) | values).first() is not None


# One query, built once, because it runs for every file.
_AT_START = sa.select(
    job.c.credentials_version,
    sa.select(checkpoint.c.part)
    .where(checkpoint.c.job == sa.bindparam("of_job"), checkpoint.c.seq == sa.bindparam("of_seq"))
    .exists(),
).where(job.c.number == sa.bindparam("of_job"))


def look_at_start(connection: sa.Connection, item: File) -> tuple[int, bool]:
    """Return the version of the job's credentials, and whether the file has a checkpoint."""
    version, has_checkpoint = connection.execute(_AT_START, {"of_job": item.job_number, "of_seq": item.seq}).one()
    return version, bool(has_checkpoint)


def list_parts(connection: sa.Connection, item: File) -> list[CheckpointPart]:
    """Return the parts of a file in order."""
    query = sa.select(checkpoint).where(checkpoint.c.job == item.job_number, checkpoint.c.seq == item.seq)
    rows = connection.execute(query.order_by(checkpoint.c.part))
    return [CheckpointPart(row.part, row.n_known, row.identity, row.key_id, row.sealed) for row in rows]


def last_fruitful_attempt(connection: sa.Connection, item: File) -> int:
    """Return the latest attempt after which more windows were stored without a gap than before; 0 if there is none.

    Windows behind a gap do not count: a window that kills its worker stays a gap. Parts of another identity do not
    count either: for them, the recording started again.
    """
    query = sa.select(checkpoint.c.attempt, checkpoint.c.n_known, checkpoint.c.identity).where(
        checkpoint.c.job == item.job_number, checkpoint.c.seq == item.seq
    )
    fruitful = 0
    most: dict[str, int] = {}
    for attempt, n_known, identity in connection.execute(query.order_by(checkpoint.c.part)):
        if n_known > most.get(identity, 0):
            fruitful, most[identity] = attempt, n_known
    return fruitful


def delete_parts(connection: sa.Connection, job_number: int, seq: int | None = None) -> None:
    """Delete the checkpoint of one file, or of all files of the job."""
    statement = sa.delete(checkpoint).where(checkpoint.c.job == job_number)
    connection.execute(statement if seq is None else statement.where(checkpoint.c.seq == seq))
