"""Run jobs through the whole flow in this process, and measure them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from batchscribe.database.file_rows import page_of_files
from batchscribe.database.job_rows import get_job
from batchscribe.intake.submission import Submission, new_job_id
from batchscribe.intake.submit import submit
from batchscribe.jobs.model import Job
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.queue.records import Records, open_records
from batchscribe.settings import Settings, load_settings
from batchscribe.speech.pool import EnginePool
from batchscribe.wire.choices import JobState, OutputLayout
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from batchscribe.wire.uris import path_of
from batchscribe.worker.engine_pools import MakePool
from batchscribe.worker.worker import Worker
from benchmarks.processes import cpu_sec

LANE = "bench"
POLL_SEC = 0.2


@dataclass(frozen=True, slots=True)
class Run:
    """One job's cost: from its submission to its last commit."""

    job: Job
    wall_sec: float
    cpu_sec: float


@dataclass(frozen=True, slots=True)
class Bench:
    """A worker that runs one job after another."""

    settings: Settings
    records: Records
    folder: Path

    def run(self, inputs: Sequence[Path], *, engine: str, config: Config | None = None) -> Run:
        """Run a job. `inputs` are folders or files; the transcripts go to a separate folder."""
        job_id = new_job_id()
        submission = Submission(
            job_id=job_id,
            lane=LANE,
            tenant="bench",
            input={"mode": "MANIFEST", "source": "FILE"},
            sources=tuple(_source(path) for path in inputs),
            output=Output(uri=f"{(self.folder / job_id).as_uri()}/", layout=OutputLayout.PREFIX),
            config=config or Config(),
            vocabulary=config.vocabulary if config else None,
            engine=engine,
            file_roots=(self.folder, *(path if path.is_dir() else path.parent for path in inputs)),
        )
        cpu_before, began_at = cpu_sec(), time.monotonic()
        submit(submission, self.records, self.settings)
        job = self._wait(job_id)
        return Run(job, time.monotonic() - began_at, cpu_sec() - cpu_before)

    def outputs(self, run: Run) -> dict[Path, Path]:
        """Return the transcript of each recording."""
        with self.records.transaction() as connection:
            return {
                Path("/" + path_of(file.input_uri)): Path("/" + path_of(file.output_uri))
                for file in page_of_files(connection, run.job.number, limit=run.job.summary.total_files)
                if file.output_uri
            }

    def _wait(self, job_id: str) -> Job:
        while True:
            with self.records.transaction() as connection:
                job = get_job(connection, job_id)
            if job.is_final:
                assert job.state is not JobState.FAILED, job.error_message
                return job
            time.sleep(POLL_SEC)


@contextmanager
def bench(
    folder: Path, *, engine_processes: int, make_pool: MakePool = EnginePool, more: Mapping[str, str] | None = None
) -> Iterator[Bench]:
    """Create a bench. `more` are further settings, by the names of their fields."""
    settings = load_settings(data_dir=folder / "data", engine_processes=engine_processes, **(more or {}))
    records = open_records(settings)
    worker = Worker(records, settings, make_pool=make_pool)
    worker.start(lanes=[LANE])
    try:
        yield Bench(settings, records, folder)
    finally:
        worker.stop()


def _source(path: Path) -> Source:
    uri = path.absolute().as_uri()
    return Source(SourceKind.PREFIX, f"{uri}/") if path.is_dir() else Source(SourceKind.FILE, uri)
