"""Runs jobs through the whole flow inside a test: real database, real DBOS, real decoder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchscribe.database.file_rows import page_of_files
from batchscribe.database.job_rows import get_job
from batchscribe.intake.submission import Submission, new_job_id
from batchscribe.intake.submit import submit
from batchscribe.jobs.model import File, Job
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.queue.records import Records, open_records
from batchscribe.settings import Settings, load_settings
from batchscribe.speech.inline import InlinePool
from batchscribe.wire.choices import OutputLayout, SegmentationMode
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from batchscribe.worker.engine_pools import MakePool
from batchscribe.worker.worker import Worker

LANE = "test"
EVERYTHING = Config(segmentation_mode=SegmentationMode.NONE)  #: noise counts as speech


@dataclass(frozen=True, slots=True)
class FlowRunner:
    """A running worker, and the folder of its inputs and outputs."""

    settings: Settings
    records: Records
    worker: Worker
    folder: Path

    def submit(self, **changes: Any) -> Job:
        """Submit a job: by default everything below `calls/`, with transcripts below `out/`."""
        return submit(self.submission(**changes), self.records, self.settings)

    def submission(self, **changes: Any) -> Submission:
        wanted: dict[str, Any] = {
            "job_id": new_job_id(),
            "lane": LANE,
            "tenant": "default",
            "input": {"mode": "PREFIX", "source": "FILE"},
            "sources": (self.prefix("calls"),),
            "output": Output(uri=f"{(self.folder / 'out').as_uri()}/", layout=OutputLayout.PREFIX),
            "config": EVERYTHING,
            "engine": "scripted",
            "file_roots": (self.folder,),
        }
        return Submission(**(wanted | changes))

    def prefix(self, name: str, **filters: tuple[str, ...]) -> Source:
        return Source(SourceKind.PREFIX, f"{(self.folder / name).as_uri()}/", **filters)

    def file(self, name: str) -> Source:
        return Source(SourceKind.FILE, (self.folder / name).as_uri())

    def run(self, **changes: Any) -> Job:
        return self.wait(self.submit(**changes))

    def wait(
        self, job: Job, *, until: Callable[[Job], bool] = lambda job: job.is_final, within_sec: float = 120
    ) -> Job:
        deadline = time.monotonic() + within_sec
        while time.monotonic() < deadline:
            job = self.job(job.job_id)
            if until(job):
                return job
            time.sleep(0.02)
        raise AssertionError(f"still {job.state} after {within_sec} s: {job.summary}")

    def job(self, job_id: str) -> Job:
        with self.records.transaction() as connection:
            return get_job(connection, job_id)

    def files(self, job: Job) -> list[File]:
        with self.records.transaction() as connection:
            return page_of_files(connection, job.number, limit=1000)

    def outputs(self) -> dict[str, Any]:
        """Return every transcript below `out/` by its path there."""
        root = self.folder / "out"
        return {str(path.relative_to(root)): json.loads(path.read_bytes()) for path in sorted(root.rglob("*.json"))}


@contextmanager
def running(
    folder: Path, *, make_pool: MakePool = InlinePool, max_deaths: int | None = None, **settings: Any
) -> Iterator[FlowRunner]:
    loaded = load_settings(**({"data_dir": folder / "data", "engine_processes": 2, "engine": "scripted"} | settings))
    records = open_records(loaded)
    worker = Worker(records, loaded, make_pool=make_pool, max_deaths=max_deaths)
    worker.start(lanes=[LANE], home=str(folder))
    try:
        yield FlowRunner(loaded, records, worker, folder)
    finally:
        worker.stop()
        records.database.dispose()
