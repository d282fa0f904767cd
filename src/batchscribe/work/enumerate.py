"""Find a job's files: per page one transaction stores file rows and shards, enqueues the shards, moves the cursor.

A crash in between loses at most the page in hand, which the next run reads again from the cursor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import sqlalchemy as sa

from batchscribe.database.file import insert_files, taken_outputs
from batchscribe.database.job import advance, all_is_done, begin_job, get_job
from batchscribe.database.shard import insert_shards
from batchscribe.errors import TooManyFiles, UnsupportedMedia, WorkInterrupted
from batchscribe.jobs.globs import PathFilter
from batchscribe.jobs.layout import OutputNames, planned_output, writes_among_inputs
from batchscribe.jobs.media_names import is_passed_over, is_supported
from batchscribe.jobs.model import Job
from batchscribe.jobs.outcome import Outcome
from batchscribe.jobs.sharding import ShardCutter, estimated_audio_sec
from batchscribe.jobs.source import Source, SourceKind, named_files
from batchscribe.jobs.summary import Summary
from batchscribe.storage.store import Store
from batchscribe.wire.states import FileState
from batchscribe.work.flow import FINISH, SHARD, Task
from batchscribe.work.listing import Found, Page, pages
from batchscribe.work.records import Records


@dataclass(frozen=True, slots=True)
class Rules:
    """What the enumeration needs to know beside the job."""

    speed: float  #: of the job's engine, in seconds of audio a second
    max_files: int
    extra_formats: tuple[str, ...]


def enumerate_job(job: Job, store: Store, records: Records, rules: Rules, check: Callable[[], None]) -> None:
    """`check` raises `WorkInterrupted` when the work is not wanted any more.

    Raises `StorageError` when a source cannot be read, `TooManyFiles`.
    """
    with records.transaction() as connection:
        if not begin_job(connection, job):
            return
    for page in pages(job, store):
        check()
        job = _store_page(job, page, records, rules)


def _store_page(job: Job, page: Page, records: Records, rules: Rules) -> Job:
    with records.transaction() as connection:
        planned = _plan(job, page, connection, rules)
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
            records.flow.enqueue(connection, Task(SHARD, job.job_id, number, lane=job.lane, tenant=job.tenant))
        if cursor.listed and all_is_done(connection, job.number):
            records.flow.enqueue(connection, Task(FINISH, job.job_id, lane=job.lane, tenant=job.tenant))
        return get_job(connection, job.job_id)


@dataclass(frozen=True, slots=True)
class Planned:
    """The rows of a page, and what they add to the job."""

    rows: list[dict[str, Any]]
    last_shard: int
    counted: Summary
    audio_sec: float


def _plan(job: Job, page: Page, connection: sa.Connection, rules: Rules) -> Planned:
    wanted = [found for found in page.found if _is_wanted(found, job)]
    names = _output_names(job, wanted, connection)
    cutter = ShardCutter(job.cursor.shard + 1, speed=rules.speed)
    rows = [_row(job, seq, found, names, cutter, rules) for seq, found in enumerate(wanted, job.cursor.seq + 1)]
    states = [row["state"] for row in rows]
    return Planned(
        rows=rows,
        last_shard=cutter.next_shard - 1,
        counted=Summary(
            total_files=len(rows), failed=states.count(FileState.FAILED), skipped=states.count(FileState.SKIPPED)
        ),
        audio_sec=sum(
            estimated_audio_sec(row["input_uri"], row["size_bytes"] or 0) for row in rows if row["shard"] is not None
        ),
    )


def _is_wanted(found: Found, job: Job) -> bool:
    source = found.source
    if source.kind is SourceKind.FILE:
        return True
    among_outputs = writes_among_inputs(source, job.output.layout, job.output.uri)
    if is_passed_over(found.uri, found.size_bytes or 0, among_outputs=among_outputs):
        return False
    return _filter(source).admits(source.path_of(found.uri))


@cache
def _filter(source: Source) -> PathFilter:
    return source.path_filter()


def _output_names(job: Job, wanted: list[Found], connection: sa.Connection) -> OutputNames:
    """Knows the job's inputs and what earlier pages were given; the page's own names are looked up at once."""
    inputs = named_files(job.sources)
    plain = {_planned_output(job, found) for found in wanted}
    taken = taken_outputs(connection, job.number, plain)

    def is_taken(uri: str) -> bool:
        known = uri in taken if uri in plain else bool(taken_outputs(connection, job.number, {uri}))
        return known or uri in inputs

    return OutputNames(is_taken)


def _planned_output(job: Job, found: Found) -> str:
    return planned_output(found.uri, found.source, job.output.layout, job.output.uri)


def _row(job: Job, seq: int, found: Found, names: OutputNames, cutter: ShardCutter, rules: Rules) -> dict[str, Any]:
    row = {
        "job": job.number,
        "seq": seq,
        "input_uri": found.uri,
        "size_bytes": found.size_bytes,
        "shard": None,
        "output_uri": "",
        "state": FileState.QUEUED,
        "error_code": None,
        "error_message": None,
    }
    if not is_supported(found.uri, rules.extra_formats):
        return row | _refused(found)
    output_uri = names.claim(_planned_output(job, found), found.uri)
    return row | {"output_uri": output_uri, "shard": cutter.add(found.uri, found.size_bytes)}


def _refused(found: Found) -> dict[str, Any]:
    """Below a prefix other files are to be expected, so one is skipped; one that was named by itself has failed."""
    error = UnsupportedMedia("Only WAV, MP3, M4A and MP4 are transcribed, and the name says this is something else.")
    skips = found.source.kind is SourceKind.PREFIX
    outcome = Outcome.skipped(error) if skips else Outcome.failed(error)
    return {"state": outcome.state, "error_code": outcome.error_code, "error_message": outcome.error_message}
