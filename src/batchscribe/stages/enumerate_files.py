"""Find a job's files: per page one transaction stores file rows and shards, enqueues the shards, moves the cursor.

A crash in between loses at most the page in hand, which the next run reads again from the cursor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TypeVar

import sqlalchemy as sa

from batchscribe.database.file_rows import find_taken_outputs, insert_files
from batchscribe.database.job_rows import advance, begin_job, is_complete
from batchscribe.database.shard_rows import insert_shards
from batchscribe.errors import TooManyFiles, WorkInterrupted
from batchscribe.jobs.layout import OutputNames
from batchscribe.jobs.model import Cursor, Job
from batchscribe.jobs.source import named_files
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import ENUMERATE, FINISH, SHARD, Task
from batchscribe.stages.deliver import announce
from batchscribe.stages.listing import ListingPage, list_pages
from batchscribe.stages.page_plan import AdmittedFile, Rules, admit_files, plan_page
from batchscribe.storage.store import Store
from batchscribe.wire.choices import JobState

#: Longest turn at listing. After it whoever waits goes first, and new jobs before large ones.
TURN_SEC = 3.0

Item = TypeVar("Item")


def enumerate_job(
    job: Job,
    store: Store,
    records: Records,
    rules: Rules,
    check: Callable[[], None],
    *,
    check_output: Callable[[str], None] = lambda _uri: None,
    turn_sec: float = TURN_SEC,
) -> None:
    """Find files until there are no more, or until the turn is over: then a task that goes on from there is queued.

    `check` raises `WorkInterrupted` when the work is not wanted any more. `check_output` is given the first output
    before any file is handed out; it may raise `StorageError`. Raises `StorageError` when a source cannot be read,
    `TooManyFiles`.
    """
    with records.transaction() as connection:
        if not begin_job(connection, job):
            return
        if rules.announce_start and job.state is JobState.QUEUED:
            announce(connection, records, job.job_id)
    sifted = ((page, admit_files(page, job, rules)) for page in list_pages(job, store))
    turn_ends_at = time.monotonic() + turn_sec
    is_output_checked = job.cursor.seq > 0
    with closing(_one_ahead(sifted)) as ahead:
        for page, wanted in ahead:
            check()
            output_uri = next((each.output_uri for each in wanted if each.output_uri is not None), None)
            if output_uri is not None and not is_output_checked:
                check_output(output_uri)
                is_output_checked = True
            before, gives_way = job.cursor, time.monotonic() >= turn_ends_at
            store_page = partial(_store_page, job, page, wanted, records, rules, gives_way=gives_way)
            try:
                job = store_page()
            except sa.exc.IntegrityError:  # a file was given one of the page's names meanwhile: see `naming`
                job = store_page()
            if gives_way and _can_give_way(before, job.cursor):
                return


def _can_give_way(before: Cursor, after: Cursor) -> bool:
    """The task that goes on is named for the number of files so far, so that has to be a new one."""
    return after.seq > before.seq and not after.listed


def _one_ahead(items: Iterator[Item]) -> Generator[Item]:
    """The next item is made while the caller works on the one before: storage answers slowly, and so do databases."""
    with ThreadPoolExecutor(1, thread_name_prefix="listing-") as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


def _store_page(
    job: Job, page: ListingPage, wanted: list[AdmittedFile], records: Records, rules: Rules, *, gives_way: bool
) -> Job:
    with records.transaction() as connection:
        planned = plan_page(job, wanted, _output_names(job, wanted, connection), rules)
        cursor = replace(page.cursor, seq=job.cursor.seq + len(planned.rows), shard=planned.last_shard)
        if cursor.seq > rules.max_files:
            sentence = f"The job has more than {rules.max_files} files; split it, or raise BATCHSCRIBE_MAX_FILES."
            raise TooManyFiles(sentence)
        if not advance(connection, job, cursor, planned.counted, audio_sec=planned.audio_sec):
            raise WorkInterrupted("Another worker enumerates this job, or it has ended.")
        insert_files(connection, planned.rows)
        shards = range(job.cursor.shard + 1, cursor.shard + 1)
        insert_shards(connection, job.number, shards)
        for number in shards:
            records.flow.enqueue(
                connection, Task(SHARD, job.job_id, number, lane=job.lane, tenant=job.tenant, engine=job.engine)
            )
        if gives_way and _can_give_way(job.cursor, cursor):
            going_on = Task(ENUMERATE, job.job_id, cursor.seq, lane=job.lane, tenant=job.tenant)
            records.flow.enqueue(connection, going_on)
        if cursor.listed and is_complete(connection, job.number):
            records.flow.enqueue(connection, Task(FINISH, job.job_id, lane=job.lane, tenant=job.tenant))
    return replace(job, cursor=cursor)


def _output_names(job: Job, wanted: list[AdmittedFile], connection: sa.Connection) -> OutputNames:
    """Knows the job's inputs and what earlier pages were given; the page's own names are looked up at once."""
    inputs = named_files(job.sources)
    plain = {each.output_uri for each in wanted if each.output_uri is not None}
    taken = find_taken_outputs(connection, job.number, plain)

    def is_taken(uri: str) -> bool:
        known = uri in taken if uri in plain else bool(find_taken_outputs(connection, job.number, {uri}))
        return known or uri in inputs

    return OutputNames(is_taken)
