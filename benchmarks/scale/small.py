"""A hundred recordings of a second: as a folder, whose listing has sizes, and as a manifest without sizes."""

from __future__ import annotations

from tests.servers.canned_bucket import BUCKET, PREFIX_URI, key_of

from batchscribe.jobs.source import Source, SourceKind
from benchmarks.report import Figure
from benchmarks.scale.house import House, Kind, canned

FILES = 100
DONE_MAX_SEC = 60.0


def measure(kind: Kind) -> list[Figure]:
    folder = (Source(SourceKind.PREFIX, PREFIX_URI),)
    named = tuple(Source(SourceKind.FILE, f"s3://{BUCKET}/{key_of(number)}") for number in range(FILES))
    with canned(FILES) as bucket, kind.house(**bucket) as house, house.worker("one", engine_processes=2):
        _job_sec(house, folder)  # the decoders and engines are started
        folder_sec, named_sec = _job_sec(house, folder), _job_sec(house, named)
    return [
        Figure(f"{FILES} recordings of a second below a prefix", f"{folder_sec:.1f} s"),
        Figure("the same in a manifest", f"{named_sec:.1f} s"),
    ]


def _job_sec(house: House, sources: tuple[Source, ...]) -> float:
    job = house.submit(sources=sources)
    took_sec = house.wait_for(lambda: house.job(job).is_final, within_sec=DONE_MAX_SEC)
    assert house.job(job).summary.total_files == FILES
    return took_sec
