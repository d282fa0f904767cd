"""Queries on the segments of transcripts, which are stored for search. See `segment_index`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from batchscribe.database.bulk import insert_rows
from batchscribe.database.segment_index import MAX_POSITIONS, index_terms, matches
from batchscribe.database.tables import file, job, transcript_segment
from batchscribe.jobs.model import file_id_of
from batchscribe.jobs.search_query import SearchQuery, Span
from batchscribe.jobs.spoken_segment import SpokenSegment
from batchscribe.wire.answers import HitAnswer
from batchscribe.wire.choices import FileState

MOST_LEFT_OUT = 10_000  #: matches on one page that may not be shown
#: The full-text table of SQLite.
_INDEX = sa.table("segment_index", sa.column("rowid"))
# Built once, because they run for every file.
_OF_FILE = sa.and_(
    transcript_segment.c.job == sa.bindparam("of_job"), transcript_segment.c.seq == sa.bindparam("of_seq")
)
_DELETE = sa.delete(transcript_segment).where(_OF_FILE)
_TENANT = sa.select(job.c.tenant).where(job.c.number == sa.bindparam("of_job"))


@dataclass(frozen=True, slots=True)
class FoundSegment:
    """A segment that matches a query, with its file. `spans` are the characters of `text` that match."""

    number: int  #: newer transcripts have higher numbers
    job_number: int
    seq: int  #: of the file
    job_id: str
    file_id: str
    input_uri: str
    output_uri: str
    segment: SpokenSegment
    spans: tuple[Span, ...]

    def answer(self) -> HitAnswer:
        return HitAnswer(
            job_id=self.job_id,
            file_id=self.file_id,
            input_uri=self.input_uri,
            output_uri=self.output_uri,
            start=self.segment.start_sec,
            end=self.segment.end_sec,
            channel=self.segment.channel,
            speaker=self.segment.speaker,
            text=self.segment.text,
            matches=self.spans,
        )


@dataclass(frozen=True, slots=True)
class FoundPage:
    """A page of found segments, and the number to continue before; None on the last page.

    A page may have fewer segments than asked for, and even none, if others follow.
    """

    found: list[FoundSegment]
    before: int | None


def store_segments(connection: sa.Connection, job_number: int, seq: int, segments: Sequence[SpokenSegment]) -> None:
    """Store the segments of a file's transcript. Those of an earlier one must have been deleted."""
    if not segments:
        return
    tenant = connection.execute(_TENANT, {"of_job": job_number}).scalar_one()
    rows = [
        {
            "tenant": tenant,
            "job": job_number,
            "seq": seq,
            "start_sec": segment.start_sec,
            "end_sec": segment.end_sec,
            "channel": segment.channel,
            "speaker": segment.speaker,
            "text": segment.text,
            "terms": index_terms(connection, tenant, segment.text),
        }
        for segment in reversed(segments)
    ]
    insert_rows(connection, transcript_segment, rows)


def segments_of(connection: sa.Connection, job_number: int, seq: int) -> list[SpokenSegment]:
    """Return the segments of a file's transcript in their order. They are stored from the last to the first."""
    query = sa.select(
        transcript_segment.c.start_sec,
        transcript_segment.c.end_sec,
        transcript_segment.c.channel,
        transcript_segment.c.speaker,
        transcript_segment.c.text,
    ).where(_OF_FILE)
    found = connection.execute(
        query.order_by(transcript_segment.c.number.desc()), {"of_job": job_number, "of_seq": seq}
    )
    return [SpokenSegment(*row) for row in found]


def delete_segments(connection: sa.Connection, job_number: int, seq: int) -> None:
    connection.execute(_DELETE, {"of_job": job_number, "of_seq": seq})


def search_segments(
    connection: sa.Connection, tenant: str, query: SearchQuery, *, before: int | None = None, limit: int
) -> FoundPage:
    """Return the segments of the tenant that match, with numbers below `before`.

    The latest transcripts come first, and the segments of a transcript in their order. Files whose transcript is still
    being written, and jobs that are deleted, are left out. There may be millions of those, so the page ends early after
    `MOST_LEFT_OUT` of them.
    """
    shown: list[int] = []
    is_last = False
    for size in (limit + 1, 10 * limit, MOST_LEFT_OUT):  # hardly ever more than once
        looked = _look(connection, tenant, query, before=before, limit=size)
        shown += [number for number, is_visible in looked if is_visible]
        is_last = len(looked) < size
        if is_last or len(shown) > limit:
            break
        before = looked[-1][0]
    if len(shown) > limit:
        return FoundPage(_read(connection, query, shown[:limit]), shown[limit - 1])
    return FoundPage(_read(connection, query, shown), None if is_last else before)


def _look(
    connection: sa.Connection, tenant: str, query: SearchQuery, *, before: int | None, limit: int
) -> list[tuple[int, bool]]:
    """Return the numbers of matching segments, and whether they may be shown.

    Rows are limited before they are joined: PostgreSQL, which has no statistics of new rows, might read the files of
    all matches.
    """
    number: sa.ColumnElement[int] = transcript_segment.c.number
    matching = sa.select(number, transcript_segment.c.job, transcript_segment.c.seq).where(
        matches(connection, tenant, query), transcript_segment.c.tenant == tenant
    )
    if connection.dialect.name == "sqlite":
        number = _INDEX.c.rowid
        matching = matching.join(_INDEX, _INDEX.c.rowid == transcript_segment.c.number)
    if before is not None:
        matching = matching.where(number < before)
    segment = matching.order_by(number.desc()).limit(limit).subquery()
    of_file = sa.and_(file.c.job == segment.c.job, file.c.seq == segment.c.seq)
    is_visible = sa.and_(file.c.state == FileState.SUCCEEDED, job.c.deleted_at.is_(None))
    with_files = sa.select(segment.c.number, is_visible).join(job, job.c.number == segment.c.job).join(file, of_file)
    found = connection.execute(with_files.order_by(segment.c.number.desc()))
    return [(number, bool(is_visible)) for number, is_visible in found]


def _read(connection: sa.Connection, query: SearchQuery, numbers: Sequence[int]) -> list[FoundSegment]:
    """Return these segments. The database may have found long ones that do not match."""
    if not numbers:
        return []
    chosen = sa.select(transcript_segment).where(transcript_segment.c.number.in_(numbers))
    segment = chosen.limit(len(numbers)).subquery()  # limited for the reason above
    of_file = sa.and_(file.c.job == segment.c.job, file.c.seq == segment.c.seq)
    columns = (job.c.job_id, file.c.input_uri, file.c.output_uri)
    with_files = sa.select(segment, *columns).join(job, job.c.number == segment.c.job).join(file, of_file)
    rows = connection.execute(with_files.order_by(segment.c.number.desc()))
    return [_found(row, query) for row in rows if len(row.text) <= MAX_POSITIONS or query.occurs_in(row.text)]


def _found(row: sa.Row[Any], query: SearchQuery) -> FoundSegment:
    segment = SpokenSegment(row.start_sec, row.end_sec, row.channel, row.speaker, row.text)
    return FoundSegment(
        number=row.number,
        job_number=row.job,
        seq=row.seq,
        job_id=row.job_id,
        file_id=file_id_of(row.seq),
        input_uri=row.input_uri,
        output_uri=row.output_uri,
        segment=segment,
        spans=tuple(query.spans(row.text)),
    )
