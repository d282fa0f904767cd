"""A job of a million files: listed while others are served, worked on while others submit, canceled."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil
import sqlalchemy as sa
from tests.servers.canned_bucket import BUCKET, key_of

from batchscribe.api.app import PREFIX, VERSION
from batchscribe.jobs.model import Job
from batchscribe.jobs.source import Source, SourceKind
from benchmarks.report import Figure
from benchmarks.scale.house import House, Kind, canned, starts

FILES = 1_000_000
EARLY_FILES = 100_000  #: after which memory should not grow
LISTED_MAX_SEC = 600.0
ASK_EVERY_SEC = 0.1
SHOWS_FOR_A_SUBMIT = 5  #: new jobs are listed before the large one continues, at most ten a second
SMALL_JOBS, SMALL_MAX_SEC = 3, 60.0
FILE_SEC = 0.01
WORKING_SEC = 5.0
LOOKED_SEC, CLEARED_MAX_SEC = 4.0, 60.0


@dataclass(slots=True)
class Listing:
    """The cost of listing, and the delays of clients during it."""

    wall_sec: float
    cpu_sec: float
    early_bytes: int
    peak_bytes: int
    shows_sec: list[float]
    submits_sec: list[float]


def measure(kind: Kind) -> list[Figure]:
    with canned(FILES) as bucket, kind.house(**bucket) as house:
        job = house.submit()
        listing = _listed(house, job)
        return [*_listing_figures(listing), *_work_figures(house, job)]


def _listed(house: House, job: Job) -> Listing:
    with house.server("--no-worker") as url, httpx2.Client(base_url=f"{url}{VERSION}{PREFIX}") as client:
        began_at = time.monotonic()
        with house.lister() as lister:
            listing = Listing(0.0, 0.0, 0, 0, [], [])
            while not (now := house.job(job)).cursor.listed:
                assert time.monotonic() - began_at < LISTED_MAX_SEC, f"{now.cursor.seq} files are listed"
                if now.cursor.seq < EARLY_FILES:
                    listing.early_bytes = lister.memory_info().rss
                listing.shows_sec.append(_ask(client, "GET", f"/jobs/{job.job_id}"))
                if len(listing.shows_sec) % SHOWS_FOR_A_SUBMIT == 0:
                    listing.submits_sec.append(_ask(client, "POST", "/jobs", json=_body(house)))
                time.sleep(ASK_EVERY_SEC)
            listing.wall_sec = time.monotonic() - began_at
            listing.cpu_sec = sum(lister.cpu_times()[:2])
            listing.peak_bytes = _peak_bytes(lister)
    return listing


def _body(house: House) -> dict[str, object]:
    """A job of one file, which is listed in between."""
    return {
        "input": {"mode": "MANIFEST", "manifest": [f"s3://{BUCKET}/{key_of(0)}"]},
        "output": {"uri": f"{(house.folder / 'small').as_uri()}/"},
        "config": {"segmentation_mode": "none"},
    }


def _ask(client: httpx2.Client, method: str, path: str, **options: object) -> float:
    began_at = time.perf_counter()
    answer = client.request(method, path, **options)  # type: ignore[arg-type]
    assert answer.is_success, answer.text
    return time.perf_counter() - began_at


def _peak_bytes(process: psutil.Process) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _listing_figures(listing: Listing) -> list[Figure]:
    return [
        Figure(f"{FILES:,} keys listed, filtered, stored, queued", f"{listing.wall_sec:.1f} s", "under 60 s"),
        Figure("CPU of the process that lists", f"{listing.cpu_sec:.1f} s"),
        Figure("its memory after a tenth of them", f"{listing.early_bytes / 2**20:.0f} MiB"),
        Figure("its peak memory", f"{listing.peak_bytes / 2**20:.0f} MiB", "under 300 MB"),
        _latency("meanwhile GET /jobs/{id}", listing.shows_sec),
        _latency("meanwhile POST /jobs", listing.submits_sec),
    ]


def _latency(name: str, took_sec: Sequence[float]) -> Figure:
    ordered = sorted(took_sec)
    p50, p99 = (1000 * ordered[math.ceil(part * len(ordered)) - 1] for part in (0.5, 0.99))
    return Figure(f"{name} (n={len(ordered)}), p50, p99", f"{p50:.1f}, {p99:.1f} ms")


def _work_figures(house: House, job: Job) -> list[Figure]:
    stub = ("sleep", f"{FILE_SEC}")
    with house.worker("one", *stub, engine_processes=2), house.worker("two", *stub, engine_processes=2):
        house.wait_for(lambda: _begun(house, job.job_id) > 0, within_sec=SMALL_MAX_SEC)
        time.sleep(WORKING_SEC)
        waits = {tenant: _small_jobs_sec(house, tenant) for tenant in ("default", "other")}
        return [
            Figure("a job of one file behind it starts, same tenant", f"{waits['default']:.1f} s", "within 5 s"),
            Figure("a job of one file behind it starts, another tenant", f"{waits['other']:.1f} s", "within 5 s"),
            *_cancel_figures(house, job),
        ]


def _begun(house: House, job_id: str) -> int:
    return sum(1 for _, of_job, _, _ in starts(house) if of_job == job_id)


def _small_jobs_sec(house: House, tenant: str) -> float:
    """Return the longest wait for a file to start among several consecutive jobs."""
    longest = 0.0
    for _ in range(SMALL_JOBS):
        began_at = time.time()
        small = house.submit(tenant=tenant, sources=(Source(SourceKind.FILE, f"s3://{BUCKET}/{key_of(0)}"),))
        house.wait_for(lambda: house.job(small).is_final, within_sec=SMALL_MAX_SEC)  # noqa: B023 - ends before
        longest = max(longest, *(at - began_at for at, of_job, _, _ in starts(house) if of_job == small.job_id))
    return longest


def _cancel_figures(house: House, job: Job) -> list[Figure]:
    with house.server("--no-worker") as url, httpx2.Client(base_url=f"{url}{VERSION}{PREFIX}") as client:
        took_sec = _ask(client, "DELETE", f"/jobs/{job.job_id}")
        canceled_at = time.time()
        cleared_sec = house.wait_for(lambda: _queued_shards(house, job) == 0, within_sec=CLEARED_MAX_SEC)
    time.sleep(max(0.0, canceled_at + LOOKED_SEC - time.time()))
    last_start_sec = max(at for at, of_job, _, _ in starts(house) if of_job == job.job_id) - canceled_at
    return [
        Figure("cancel that job", f"{1000 * took_sec:.0f} ms", "at once"),
        Figure("its last file starts after that", f"{max(0.0, last_start_sec):.2f} s", "within 2 s"),
        Figure("its shards are gone from the engine after", f"{cleared_sec:.1f} s"),
    ]


def _queued_shards(house: House, job: Job) -> int:
    """Return the number of shards in the queue."""
    is_postgresql = house.records.database.dialect.name == "postgresql"
    status = sa.table("workflow_status", sa.column("workflow_uuid"), sa.column("status"))
    status.schema = "dbos" if is_postgresql else None
    query = sa.select(sa.func.count()).select_from(status)
    of_job = sa.and_(status.c.workflow_uuid.like(f"{job.job_id}-%"), status.c.status.in_(("ENQUEUED", "CANCELLED")))
    with house.records.transaction() as connection:
        return connection.scalar(query.where(of_job)) or 0
