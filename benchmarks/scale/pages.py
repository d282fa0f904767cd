"""Pages of a server whose database has a job of a million files: time until the answer, and bytes."""

from __future__ import annotations

import gzip
import statistics
import time
from dataclasses import replace

import httpx2
import sqlalchemy as sa
from tests.jobs_on_record import a_job

from batchscribe.database.file_rows import insert_files
from batchscribe.database.job_rows import advance, begin_job, get_job, insert_job
from batchscribe.database.shard_rows import insert_shards
from batchscribe.jobs.model import Job
from batchscribe.jobs.summary import Summary
from batchscribe.wire.choices import FileState
from benchmarks.report import Figure
from benchmarks.scale.house import House, Kind

FILES, FILES_AT_ONCE = 1_000_000, 20_000
FAILED_EVERY = 1000  #: so a thousand files of each state are spread over the job
SMALL_JOBS = 200
TIMES = 15
GOAL_MS, GOAL_KB = "< 100 ms", "< 100 KB"


def measure(kind: Kind) -> list[Figure]:
    with kind.house() as house:
        job = _store_jobs(house)
        with house.server("--no-worker") as url, httpx2.Client(base_url=url, timeout=60) as client:
            of_job = f"/jobs/{job.job_id}"
            pages = {
                "list of jobs": "/",
                "page of the job": of_job,
                "its last files": f"{of_job}?after={FILES - 50}",
                "its failed files": f"{of_job}?state=FILE_FAILED",
                "search for a name near the start": f"{of_job}?name=call-0000123",
                "search for a name that no file has": f"{of_job}?name=nowhere",
            }
            return [figure for name, path in pages.items() for figure in _page_figures(client, name, path)]


def _store_jobs(house: House) -> Job:
    with house.records.transaction() as connection:
        for number in range(SMALL_JOBS):
            insert_job(connection, a_job(job_id=f"job_small_{number}"), fingerprint=f"{number}")
        job = insert_job(connection, a_job(job_id="job_large"), fingerprint="large")
        begin_job(connection, job)
        job = get_job(connection, job.job_id)
        shards = FILES // 64
        cursor = replace(job.cursor, source=1, seq=FILES, shard=shards, listed=True)
        advance(connection, job, cursor, Summary(total_files=FILES), audio_sec=10.0 * FILES)
        insert_shards(connection, job.number, range(1, shards + 1))
    for start in range(1, FILES + 1, FILES_AT_ONCE):
        with house.records.transaction() as connection:
            insert_files(connection, [_row(job, seq) for seq in range(start, start + FILES_AT_ONCE)])
    if house.records.database.dialect.name == "postgresql":
        with house.records.transaction() as connection:
            connection.execute(sa.text("ANALYZE"))
    return job


def _row(job: Job, seq: int) -> dict[str, object]:
    has_failed = seq % FAILED_EVERY == 0
    return {
        "job": job.number,
        "seq": seq,
        "shard": seq // 64,
        "input_uri": f"s3://recordings/of/the/year/2026/department-{seq % 40}/call-{seq:07}.wav",
        "output_uri": f"s3://transcripts/of/the/year/2026/department-{seq % 40}/call-{seq:07}.json",
        "size_bytes": 32_000,
        "state": FileState.FAILED if has_failed else FileState.QUEUED,
        "error_code": "CORRUPT_MEDIA" if has_failed else None,
        "error_message": "The recording ends in the middle of a frame; upload it again." if has_failed else None,
    }


def _page_figures(client: httpx2.Client, name: str, path: str) -> list[Figure]:
    took_sec, answer = [], client.get(path)
    assert answer.status_code == 200, (path, answer.text[:500])
    for _ in range(TIMES):
        began_at = time.monotonic()
        client.get(path)
        took_sec.append(time.monotonic() - began_at)
    median_ms, worst_ms = 1000 * statistics.median(took_sec), 1000 * max(took_sec)
    figures = [Figure(f"{name}: median, slowest", f"{median_ms:.0f}, {worst_ms:.0f} ms", GOAL_MS)]
    if "?" not in path:
        size = f"{_first_view(client, answer)} KB"
        figures.append(Figure(f"{name}: first view with styles and scripts", size, GOAL_KB))
    return figures


def _first_view(client: httpx2.Client, answer: httpx2.Response) -> int:
    """Return the size of a page and everything that it loads, as sent."""
    linked = [part.split('"')[0] for part in answer.text.split('"/static/')[1:]]
    loaded = (client.get(f"/static/{path}").content for path in dict.fromkeys(linked))
    return round((len(answer.content) + sum(len(gzip.compress(each, mtime=0)) for each in loaded)) / 1000)
