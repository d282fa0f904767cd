"""Stores jobs for the tests of the database and the stages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from batchscribe.database.file_rows import insert_files
from batchscribe.database.job_rows import advance, begin_job, get_job, insert_job
from batchscribe.database.sealed import Keyring
from batchscribe.database.shard_rows import insert_shards
from batchscribe.jobs.model import File, Job
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.jobs.summary import Summary
from batchscribe.stages.checkpoint import Checkpoint
from batchscribe.stages.checkpoint_parts import Checkpoints
from batchscribe.stages.job_keys import JobKeys
from batchscribe.storage.store import Recording
from batchscribe.wire.choices import FileState, JobState
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from tests.twins.queue import records_of

PREFIX = "memory://calls/"


def a_job(**changes: Any) -> Job:
    """A new job over one prefix."""
    job = Job(
        number=0,
        job_id="job_1",
        tenant="default",
        lane="main",
        state=JobState.QUEUED,
        submitted_at=datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC),
        completed_at=None,
        reference_id=None,
        input={"mode": "PREFIX", "source": "FILE", "uri": "file:///calls/"},
        output=Output(uri="file:///out/"),
        config=Config(),
        engine="scripted",
        sources=(Source(SourceKind.PREFIX, PREFIX),),
        file_roots=(),
        storage_settings={},
        summary=Summary(),
    )
    return replace(job, **changes)


def keys_of_nobody() -> JobKeys:
    """Keys for storage without keys: nothing is ever looked up."""
    engine = sa.create_engine("sqlite://")
    return JobKeys(a_job(), records_of(engine, Keyring(())), {}, wait_sec=0)


class NoCheckpoints(Checkpoints):
    """The checkpoints of a job without a database: none is stored."""

    def __init__(self) -> None:
        """Need nothing."""

    def open(self, file: File, source: Recording, request_id: str) -> Checkpoint:
        return Checkpoint()

    def last_fruitful_attempt(self, file: File) -> int:
        return 0


def stored_job(connection: sa.Connection, *, files: int = 0, **changes: Any) -> Job:
    """A running job whose files are all in shard 1 and fully listed."""
    job = insert_job(connection, a_job(**changes), fingerprint="f")
    begin_job(connection, job)
    job = get_job(connection, job.job_id)
    shards = 1 if files else 0
    cursor = replace(job.cursor, source=1, seq=files, shard=shards, listed=True)
    assert advance(connection, job, cursor, Summary(total_files=files), audio_sec=10.0 * files)
    insert_shards(connection, job.number, range(1, shards + 1))
    insert_files(connection, [_file_row(job, seq) for seq in range(1, files + 1)])
    return get_job(connection, job.job_id)


def _file_row(job: Job, seq: int) -> dict[str, Any]:
    return {
        "job": job.number,
        "seq": seq,
        "shard": 1,
        "input_uri": f"{PREFIX}{seq}.wav",
        "output_uri": f"memory://out/{seq}.json",
        "size_bytes": 32_000,
        "state": FileState.QUEUED,
    }
