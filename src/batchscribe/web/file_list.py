"""The files of a job on its page, with a filter by state and a search by name.

A search reads the names in order, for a limited time. It then shows what it has found, and continues from there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Self

from batchscribe.database.connect import Connection
from batchscribe.database.file_names import files_named
from batchscribe.database.file_rows import page_of_files, page_of_files_in
from batchscribe.jobs.model import MAX_SEQ_DIGITS, File, Job, stored_states
from batchscribe.wire.answers import FileAnswer
from batchscribe.wire.choices import FileState

PAGE_FILES = 50
SEARCH_SEC = 0.25  #: then a search stops
AT_ONCE = 10_000  #: files that one query reads
MOST_NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """The files to show: those after `after`, in this state and with this text in their URI."""

    state: FileState | None
    name: str
    after: int

    @classmethod
    def of(cls, state: str, name: str, after: int) -> Self:
        """Read a query. Invalid values count as absent."""
        known = FileState(state) if state in set(FileState) else None
        is_seq = 0 <= after < 10**MAX_SEQ_DIGITS
        return cls(known, name.strip().replace("\0", "")[:MOST_NAME_CHARS], after if is_seq else 0)


@dataclass(frozen=True, slots=True)
class FilesPage:
    """A page of files. The next one continues after `after`."""

    files: list[FileAnswer]
    after: int | None  #: None on the last page
    searched: int | None = None  #: if a search stopped early, the number of files that it has read so far


def read_files(connection: Connection, job: Job, wanted: Wanted) -> FilesPage:
    if wanted.name:
        return _search(connection, job, wanted)
    if wanted.state is None:
        found = page_of_files(connection, job.number, after=wanted.after, limit=PAGE_FILES + 1)
    else:
        states = stored_states(wanted.state, job.state)
        found = page_of_files_in(connection, job.number, states, after=wanted.after, limit=PAGE_FILES + 1)
    return _page(job, found)


def _page(job: Job, found: list[File]) -> FilesPage:
    shown = found[:PAGE_FILES]
    answers = [file.answer(job.state, job.config.formats) for file in shown]
    return FilesPage(answers, shown[-1].seq if len(found) > PAGE_FILES else None)


def _search(connection: Connection, job: Job, wanted: Wanted) -> FilesPage:
    states = None if wanted.state is None else stored_states(wanted.state, job.state)
    last, deadline = job.cursor.seq, time.monotonic() + SEARCH_SEC
    found: list[File] = []
    after = wanted.after
    while after < last and len(found) <= PAGE_FILES:
        if time.monotonic() > deadline:
            answers = [file.answer(job.state, job.config.formats) for file in found]
            return FilesPage(answers, after, searched=after)
        limit = PAGE_FILES + 1 - len(found)
        found += files_named(
            connection, job.number, wanted.name, states=states, after=after, last=after + AT_ONCE, limit=limit
        )
        after += AT_ONCE
    return _page(job, found)
