"""Bulk inserts have the same result as single ones."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.bulk import insert_rows, rows_of
from batchscribe.database.file_rows import get_file
from batchscribe.database.tables import file
from batchscribe.wire.choices import FileState
from tests.jobs_on_record import stored_job


def test_columns_that_are_left_out_get_their_defaults(connection: sa.Connection) -> None:
    job = stored_job(connection)
    named = {"job": job.number, "input_uri": "s3://b/ü\t\\n.wav", "output_uri": "", "state": FileState.SKIPPED}
    insert_rows(connection, file, [{"seq": seq, "size_bytes": None, **named} for seq in (1, 2)])
    second = get_file(connection, job.number, 2)
    assert (second.state, second.attempt, second.shard, second.size_bytes) == (FileState.SKIPPED, 0, None, None)
    assert second.input_uri == "s3://b/ü\t\\n.wav"


def test_without_rows_there_is_no_statement(connection: sa.Connection) -> None:
    insert_rows(connection, file, [])
    assert connection.scalar(sa.select(sa.func.count()).select_from(file)) == 0


def test_numbers_become_a_table(connection: sa.Connection) -> None:
    numbers = [-(2**63), 0, 2**63 - 1]
    asked = rows_of(connection, numbers)
    assert list(connection.scalars(sa.select(asked.c.value))) == numbers
