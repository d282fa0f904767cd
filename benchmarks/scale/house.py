"""The environment of a measurement: a fresh database, a folder, and the processes that share them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from tests.servers.canned_bucket import PREFIX_URI
from tests.servers.postgresql import PostgreSQL

from batchscribe.database.job_rows import get_job
from batchscribe.intake.submission import Submission, new_job_id
from batchscribe.intake.submit import submit
from batchscribe.jobs.model import Job
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.queue.records import Records, open_records
from batchscribe.queue.tasks import SERVER_LANE
from batchscribe.settings import Settings, load_settings
from batchscribe.wire.choices import OutputLayout, SegmentationMode
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output

ROOT = Path(__file__).resolve().parents[2]
END_SEC = 30.0
LOOK_SEC = 0.02


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two databases; each measurement gets a fresh one."""

    name: str
    postgresql: PostgreSQL | None = None

    @contextmanager
    def house(self, **settings: str) -> Iterator[House]:
        """Create the environment. `settings` are those of all its processes, by variable names without the prefix."""
        with TemporaryDirectory(prefix="bench-scale-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            wanted = {"DATA_DIR": f"{folder / 'data'}", "FILE_ROOTS": name, "AUTH": "off", "ENGINE": "scripted"}
            environment = {f"BATCHSCRIBE_{key}": value for key, value in (wanted | settings).items()}
            if self.postgresql is not None:
                environment |= self.postgresql.settings(self.postgresql.new_database())
            house = House(folder, environment, _records_of(environment))
            try:
                yield house
            finally:
                house.records.database.dispose()


def _records_of(environment: Mapping[str, str]) -> Records:
    records = open_records(_settings_of(environment))
    records.flow.prepare()
    return records


def _settings_of(environment: Mapping[str, str]) -> Settings:
    return load_settings(**{name.removeprefix("BATCHSCRIBE_").lower(): value for name, value in environment.items()})


@dataclass(frozen=True, slots=True)
class House:
    folder: Path
    environment: Mapping[str, str]
    records: Records

    @property
    def settings(self) -> Settings:
        return _settings_of(self.environment)

    @property
    def ledger(self) -> Path:
        """The starts of the stub workers: a line with time, job, file and process each."""
        return self.folder / "ledger.txt"

    def submit(self, *, tenant: str = "default", sources: tuple[Source, ...] | None = None) -> Job:
        """By default all of the canned bucket; the transcripts go to the folder."""
        submission = Submission(
            job_id=new_job_id(),
            lane=SERVER_LANE,
            tenant=tenant,
            input={"mode": "PREFIX", "source": "S3", "uri": PREFIX_URI},
            sources=sources or (Source(SourceKind.PREFIX, PREFIX_URI, include=("**/*.wav",)),),
            output=Output(uri=f"{(self.folder / 'out').as_uri()}/", layout=OutputLayout.PREFIX),
            config=Config(segmentation_mode=SegmentationMode.NONE),
            engine="scripted",
        )
        return submit(submission, self.records, self.settings)

    def job(self, job: Job) -> Job:
        with self.records.transaction() as connection:
            return get_job(connection, job.job_id)

    def wait_for(self, holds: Callable[[], bool], *, within_sec: float) -> float:
        """Wait for a condition. Return how long it took."""
        began_at = time.monotonic()
        while not holds():
            assert time.monotonic() - began_at < within_sec, f"it did not happen within {within_sec} s"
            time.sleep(LOOK_SEC)
        return time.monotonic() - began_at

    @contextmanager
    def process(self, *words: str, core: int | None = None) -> Iterator[subprocess.Popen[str]]:
        """A Python module with its arguments, ready when it has said its first line; on one core, if so wished."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BATCHSCRIBE_")}
        command = [sys.executable, "-m", *words]
        process = subprocess.Popen(command, cwd=ROOT, env=kept | dict(self.environment), stdout=-1, text=True)
        try:
            if core is not None:
                psutil.Process(process.pid).cpu_affinity([core])
            yield process
        finally:
            process.terminate()
            try:
                process.wait(END_SEC)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @contextmanager
    def worker(
        self, name: str, *stub: str, engine_processes: int, core: int | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """Run a real worker. `stub` replaces the work on each file: see `stub_worker`."""
        words = ("benchmarks.scale.stub_worker", f"{self.ledger}", *stub) if stub else ("batchscribe", "worker")
        words = (*words, "--name", name, "--engine-processes", f"{engine_processes}")
        with self.process(*words, core=core) as process:
            assert "ready" in first_line(process)
            yield process

    @contextmanager
    def lister(self) -> Iterator[psutil.Process]:
        """Run a worker that lists jobs and processes no files."""
        words = ("tests.integration.listing_victim", self.settings.effective_database_url, f"{self.folder}")
        with self.process(*words) as process:
            assert "listing" in first_line(process)
            yield psutil.Process(process.pid)

    @contextmanager
    def server(self, *options: str) -> Iterator[str]:
        """Its URL."""
        with self.process("batchscribe", "serve", "--port", "0", *options) as process:
            found = re.search(r"http://\S+", first_line(process))
            assert found, "the server did not start"
            yield found[0]


def first_line(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline() if process.stdout else ""


def wait_listed(house: House, *, within_sec: float = 120.0) -> Job:
    """All of the canned bucket as a job whose shards are in the queue."""
    job = house.submit()
    with house.lister():
        house.wait_for(lambda: house.job(job).cursor.listed, within_sec=within_sec)
    return job


def cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def starts(house: House) -> list[tuple[float, str, str, int]]:
    """Time, job, file and process of each file that a stub worker began."""
    if not house.ledger.exists():
        return []
    lines = house.ledger.read_text().splitlines()
    return [(float(at), job_id, file_id, int(pid)) for at, job_id, file_id, pid in map(str.split, lines)]


@contextmanager
def canned(keys: int) -> Iterator[dict[str, str]]:
    """Run a canned bucket in a separate process. Yield the settings for it."""
    command = [sys.executable, "-m", "tests.servers.canned_bucket", f"{keys}"]
    with subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True) as process:
        endpoint = first_line(process).strip()
        try:
            yield {"S3_ENDPOINT": endpoint, "S3_ALLOW_HTTP": "true"}
        finally:
            process.kill()
