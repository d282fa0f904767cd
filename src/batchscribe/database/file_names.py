"""A search for files of a job by a part of their URI."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from batchscribe.database.file_rows import file_of_row
from batchscribe.database.tables import file
from batchscribe.jobs.model import File
from batchscribe.wire.choices import FileState
from batchscribe.wire.uris import encoded


def files_named(
    connection: sa.Connection,
    job_number: int,
    text: str,
    *,
    states: Collection[FileState] | None,
    after: int,
    last: int,
    limit: int,
) -> list[File]:
    """Return files with `text` in their URI, in any case, among those with numbers above `after` up to `last`.

    No index helps, so the cost grows with the distance between these numbers.
    """
    spellings = {text, encoded(text)}
    has_text = sa.or_(*(file.c.input_uri.icontains(each, autoescape=True) for each in sorted(spellings)))
    query = sa.select(file).where(file.c.job == job_number, file.c.seq > after, file.c.seq <= last, has_text)
    if states is not None:
        query = query.where(file.c.state.in_(states))
    return [file_of_row(row) for row in connection.execute(query.order_by(file.c.seq).limit(limit))]
