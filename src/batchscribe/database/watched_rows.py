"""Queries on the recordings that `batchscribe watch` has taken.

Rows are stored before their job is submitted, and marked as done after it has ended. A crash in between is visible:
the job of a row that is not done exists and is to be resumed, or it was never submitted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from batchscribe.database.tables import metadata

#: The recordings that `batchscribe watch` has taken, each with its latest content. Outlives the jobs.
watched = sa.Table(
    "watched",
    metadata,
    sa.Column("watch", sa.String, primary_key=True),  # stands for the folder, its globs and the output
    sa.Column("uri_digest", sa.String, primary_key=True),  # URIs may be too long for an index
    sa.Column("uri", sa.String, nullable=False),
    sa.Column("version", sa.String, nullable=False),  # as the listing gives it
    sa.Column("content", sa.String, nullable=False),
    sa.Column("job_id", sa.String),  # NULL for another copy of a content; not a key: jobs are deleted
    sa.Column("replaces", sa.Boolean, nullable=False),  # the transcript of an earlier content
    sa.Column("is_done", sa.Boolean, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class WatchedRecording:
    """A recording with the content that was last seen. `job_id` is None for another copy of a known content."""

    uri: str
    version: str
    content: str
    job_id: str | None = None
    replaces: bool = False  #: the transcript of an earlier content
    is_done: bool = True


def read_watched(connection: sa.Connection, watch: str) -> dict[str, WatchedRecording]:
    """Return the recordings of a watch by their URIs."""
    table = watched.c
    query = sa.select(table.uri, table.version, table.content, table.job_id, table.replaces, table.is_done)
    rows = connection.execute(query.where(table.watch == watch))
    return {row.uri: WatchedRecording(*row) for row in rows}


def store_watched(connection: sa.Connection, watch: str, recordings: Iterable[WatchedRecording]) -> None:
    """Store recordings in place of what was known about their URIs."""
    for recording in recordings:
        forget_watched(connection, watch, [recording.uri])
        values = {"watch": watch, "uri_digest": _digest(recording.uri), **asdict(recording)}
        connection.execute(sa.insert(watched).values(values))


def forget_watched(connection: sa.Connection, watch: str, uris: Collection[str]) -> None:
    for uri in uris:
        connection.execute(sa.delete(watched).where(watched.c.watch == watch, watched.c.uri_digest == _digest(uri)))


def find_unfinished_jobs(connection: sa.Connection, watch: str) -> list[str]:
    """Return the jobs that were submitted, or about to be, and whose end was not recorded."""
    query = sa.select(watched.c.job_id).where(watched.c.watch == watch, watched.c.is_done.is_(False)).distinct()
    return sorted(connection.execute(query).scalars())


def mark_done(connection: sa.Connection, watch: str, job_id: str) -> None:
    connection.execute(_update(watch, job_id).values(is_done=True))


def take_back(connection: sa.Connection, watch: str, job_id: str) -> None:
    """Forget that a job took its recordings. Those that replace a transcript remain known to do so."""
    unwanted = sa.delete(watched).where(
        watched.c.watch == watch, watched.c.job_id == job_id, watched.c.replaces.is_(False)
    )
    connection.execute(unwanted)
    connection.execute(_update(watch, job_id).values(version="", content="", is_done=True))


def _update(watch: str, job_id: str) -> sa.Update:
    return sa.update(watched).where(watched.c.watch == watch, watched.c.job_id == job_id)


def _digest(uri: str) -> str:
    return hashlib.sha256(uri.encode()).hexdigest()
