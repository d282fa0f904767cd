"""A worker is killed: how long until its files run again."""

from __future__ import annotations

import time

import psutil
from tests.servers.canned_bucket import BUCKET, key_of

from batchscribe.jobs.source import Source, SourceKind
from benchmarks.report import Figure
from benchmarks.scale.house import Kind, canned, starts

FILES = 8  #: files in progress of two workers with four slots
FILE_SEC = 8.0
AGAIN_MAX_SEC = 90.0


def measure(kind: Kind) -> list[Figure]:
    stub = ("sleep", f"{FILE_SEC}")
    named = tuple(Source(SourceKind.FILE, f"s3://{BUCKET}/{key_of(number)}") for number in range(FILES))
    with (
        canned(FILES) as bucket,
        kind.house(**bucket) as house,
        house.worker("one", *stub, engine_processes=2) as one,
        house.worker("two", *stub, engine_processes=2),
    ):
        house.submit(sources=named)
        house.wait_for(lambda: len(starts(house)) == FILES, within_sec=60)
        _kill(one.pid)
        killed_at = time.time()
        lost = {file_id for _, _, file_id, pid in starts(house) if pid == one.pid}
        house.wait_for(lambda: len(starts(house)) == FILES + len(lost), within_sec=AGAIN_MAX_SEC)
        last_sec = max(at for at, _, file_id, _ in starts(house) if file_id in lost) - killed_at
    return [Figure(f"the {len(lost)} files of a killed worker all run again after", f"{last_sec:.1f} s", "within 45 s")]


def _kill(pid: int) -> None:
    process = psutil.Process(pid)
    family = process.children(recursive=True)
    process.kill()
    psutil.wait_procs(family, timeout=10)
