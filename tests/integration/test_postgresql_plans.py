"""PostgreSQL uses the indexes for a large new job, even if its statistics are those of other jobs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from batchscribe.database.connect import open_database
from batchscribe.database.file_rows import claim, find_taken_outputs, insert_files, open_files, page_of_files
from batchscribe.database.job_rows import BY_ID, insert_job
from batchscribe.database.segment_rows import search_segments, store_segments
from batchscribe.database.shard_rows import begin_shard, insert_shards
from batchscribe.jobs.model import Job
from batchscribe.jobs.search_query import SearchQuery
from batchscribe.jobs.spoken_segment import SpokenSegment
from batchscribe.wire.choices import FileState
from tests.jobs_on_record import a_job
from tests.servers.postgresql import PostgreSQL

SHARDS, FILES_OF_SHARD = 200, 64


@pytest.fixture
def connection(postgresql: PostgreSQL) -> Iterator[sa.Connection]:
    """A connection with the statistics of a small finished job, which are not renewed."""
    engine = open_database(postgresql.new_database())
    with engine.begin() as opened:
        opened.execute(sa.text("ALTER TABLE file SET (autovacuum_enabled = off)"))
        job_of(opened, "job_small", shards=50, state=FileState.SUCCEEDED)
        opened.execute(sa.text("ANALYZE"))
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def job_of(connection: sa.Connection, job_id: str, *, shards: int, state: FileState) -> Job:
    job = insert_job(connection, a_job(job_id=job_id), fingerprint=job_id)
    insert_shards(connection, job.number, range(1, shards + 1))
    rows = [
        {
            "job": job.number,
            "seq": seq,
            "shard": (seq - 1) // FILES_OF_SHARD + 1,
            "input_uri": f"memory://calls/{seq}.wav",
            "output_uri": f"memory://out/{seq}.json",
            "size_bytes": 32_000,
            "state": state,
        }
        for seq in range(1, shards * FILES_OF_SHARD + 1)
    ]
    insert_files(connection, rows)
    return job


def rows_read(connection: sa.Connection) -> int:
    """Return the rows of `file` read by this transaction so far, including filtered ones."""
    counts = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'file'"
    return int(connection.scalar(sa.text(counts)) or 0)


def test_no_statement_of_a_new_large_job_reads_all_its_files(connection: sa.Connection) -> None:
    job = job_of(connection, "job_large", shards=SHARDS, state=FileState.QUEUED)
    before = rows_read(connection)
    assert find_taken_outputs(connection, job.number, {f"memory://out/{n}.json" for n in range(100)}) != set()
    assert rows_read(connection) - before <= 100
    before = rows_read(connection)
    run = begin_shard(connection, job.number, 7)
    files = open_files(connection, job.number, 7)
    assert len(files) == rows_read(connection) - before == FILES_OF_SHARD
    before = rows_read(connection)
    assert run is not None
    assert claim(connection, files[0], run=run)
    assert rows_read(connection) - before <= 1
    before = rows_read(connection)
    assert len(page_of_files(connection, job.number, after=500, limit=100, state=FileState.QUEUED)) == 100
    assert rows_read(connection) - before <= 200
    before = rows_read(connection)
    assert connection.execute(BY_ID, {"of_job_id": job.job_id}).one().processing == 1
    assert rows_read(connection) - before <= FILES_OF_SHARD


def test_a_search_reads_only_the_files_of_its_hits(connection: sa.Connection) -> None:
    job = job_of(connection, "job_large", shards=SHARDS, state=FileState.SUCCEEDED)
    for seq in range(1, 2_001):
        rare = ["rare word"] if seq % 500 == 0 else []
        texts = ["common word", *rare]
        segments = [SpokenSegment(number, number + 1.0, 0, None, text) for number, text in enumerate(texts)]
        store_segments(connection, job.number, seq, segments)
    for query, found in (("rare", 4), ("common", 50), ("rare word", 4), ("com*", 50), ("missing", 0)):
        before = rows_read(connection)
        assert len(search_segments(connection, "default", SearchQuery.parse(query), limit=50).found) == found
        assert rows_read(connection) - before <= 2 * found + 1, query
