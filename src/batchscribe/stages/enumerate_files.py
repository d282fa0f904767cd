"""Listing of a job's files. For each page, one transaction stores file rows and shards, and moves the cursor.

The same transaction enqueues the shards. A crash loses at most the current page, which the next run reads again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TypeVar

from batchscribe.database.connect import Connection, UniqueConflict
from batchscribe.database.file_rows import find_taken_outputs, insert_files
from batchscribe.database.job_rows import advance, begin_job, get_job, is_complete
from batchscribe.database.shard_rows import insert_shards
from batchscribe.errors import TooManyFiles, WorkInterrupted
from batchscribe.jobs.layout import OutputNames
from batchscribe.jobs.model import Cursor, Job
from batchscribe.jobs.source import named_files
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import ENUMERATE, SHARD, Task
from batchscribe.stages.deliver import announce
from batchscribe.stages.finish import finish_task
from batchscribe.stages.listing import ListingPage, list_pages
from batchscribe.stages.page_plan import AdmittedFile, Rules, admit_files, plan_page
from batchscribe.storage.store import Store
from batchscribe.wire.choices import JobState

#: Longest turn of a listing. After it, waiting listings go first: new jobs before large ones.
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
    """Find files until there are no more or the turn is over. After the turn, a task is queued that continues.

    `check` raises `WorkInterrupted` if the work is no longer wanted. `check_output` gets the first output URI before
    any file is handed out; it may raise `StorageError`. Raises `StorageError` if a source cannot be read, and
    `TooManyFiles`.
    """
    with records.transaction() as connection:
        if not begin_job(connection, job):
            return
        if rules.announce_start and job.state is JobState.QUEUED:
            announce(connection, records, get_job(connection, job.job_id))
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
            except UniqueConflict:  # another file took one of the page's names meanwhile: see `naming`
                job = store_page()
            if gives_way and _can_give_way(before, job.cursor):
                return


def _can_give_way(before: Cursor, after: Cursor) -> bool:
    """Return whether another task may continue. Its id has the number of files so far, which must have grown."""
    return after.seq > before.seq and not after.listed


def _one_ahead(items: Iterator[Item]) -> Generator[Item]:
    """Prepare the next item while the caller processes the current one: storage and databases respond slowly."""
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
                connection, Task(SHARD, job.job_id, number, lane=job.lane, tenant=job.tenant, engine=job.queue_key)
            )
        if gives_way and _can_give_way(job.cursor, cursor):
            again = job.retry_number
            going_on = Task(ENUMERATE, job.job_id, cursor.seq, lane=job.lane, tenant=job.tenant, again=again)
            records.flow.enqueue(connection, going_on)
        if cursor.listed and is_complete(connection, job.number):
            records.flow.enqueue(connection, finish_task(job))
    return replace(job, cursor=cursor)


def _output_names(job: Job, wanted: list[AdmittedFile], connection: Connection) -> OutputNames:
    """Create names that avoid the job's inputs and the outputs of earlier pages.

    One query looks up all names that the page plans to use.
    """
    inputs = named_files(job.sources)
    plain = {each.output_uri for each in wanted if each.output_uri is not None}
    taken = find_taken_outputs(connection, job.number, plain)

    def is_taken(uri: str) -> bool:
        known = uri in taken if uri in plain else bool(find_taken_outputs(connection, job.number, {uri}))
        return known or uri in inputs

    return OutputNames(is_taken)
