"""Jobs of many pages: their listing resumes after a crash, they are canceled at once, and their tasks end with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from batchscribe.database.job_rows import get_job
from batchscribe.database.tables import file, shard
from batchscribe.intake.submission import Submission, new_job_id
from batchscribe.intake.submit import submit
from batchscribe.jobs.model import File, Job, Outcome
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.queue import flow
from batchscribe.queue.records import Records, open_records
from batchscribe.queue.tasks import SERVER_LANE
from batchscribe.settings import load_settings
from batchscribe.stages import shard as shard_work
from batchscribe.stages.enumerate_files import TURN_SEC
from batchscribe.stages.finish import cancel_served_job
from batchscribe.stages.job_context import JobContext
from batchscribe.stages.write_transcript import BeginWrite
from batchscribe.wire.choices import JobState, OutputLayout
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from tests.integration.command import wait_until
from tests.integration.flow_runner import running
from tests.preloaded import StartedCommand, victim
from tests.servers.canned_bucket import BUCKET, PAGE_KEYS, PREFIX_URI, CannedBucket, canned_bucket, key_of
from tests.statements import statements_of

PAGES = 20
KILLS = 3
PAGE_SEC = 0.03
CANCELED_FILES = 20_000
QUIET_SEC = 1.5  #: without a start; until then, one begins about every 5 ms


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[CannedBucket]:
    with canned_bucket(PAGES * PAGE_KEYS - 1, page_sec=PAGE_SEC) as server:
        for name, value in server.settings().items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def records(database: str) -> Iterator[Records]:
    opened = open_records(load_settings(database_url=database))
    opened.flow.prepare()
    yield opened
    opened.database.dispose()


@contextmanager
def lister(database: str, home: Path) -> Iterator[StartedCommand]:
    with victim("tests.integration.listing_victim", database, str(home)) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "listing\n"
            yield process
        finally:
            process.kill()


def submitted(records: Records) -> Job:
    submission = Submission(
        job_id=new_job_id(),
        lane=SERVER_LANE,
        tenant="default",
        input={"mode": "PREFIX", "source": "S3", "uri": PREFIX_URI},
        sources=(Source(SourceKind.PREFIX, PREFIX_URI, include=("*.wav",)),),
        output=Output(uri="s3://out/", layout=OutputLayout.PREFIX),
        config=Config(),
        engine="scripted",
    )
    return submit(submission, records, load_settings(engine="scripted"))


def job_of(records: Records, job: Job) -> Job:
    with records.transaction() as connection:
        return get_job(connection, job.job_id)


def test_a_listing_resumes_where_its_worker_was_killed(
    database: str, records: Records, bucket: CannedBucket, tmp_path: Path
) -> None:
    job, began_at = submitted(records), time.monotonic()
    for kill in range(1, KILLS + 1):
        killed_at = kill * 5 * PAGE_KEYS
        bucket.hold_from(killed_at + 2 * PAGE_KEYS)  # so that the listing cannot end before
        with lister(database, tmp_path):
            wait_until(lambda: job_of(records, job).cursor.seq >= killed_at)  # noqa: B023 - ends before
        assert not job_of(records, job).cursor.listed
    bucket.hold_from(bucket.keys)
    with lister(database, tmp_path):
        wait_until(lambda: job_of(records, job).cursor.listed)
    with records.transaction() as connection:
        files = connection.execute(sa.select(file.c.seq, file.c.input_uri, file.c.shard).order_by(file.c.seq)).all()
        shards = set(connection.scalars(sa.select(shard.c.number)))
    assert [row.seq for row in files] == list(range(1, bucket.keys + 1))
    assert [row.input_uri for row in files] == [f"s3://{BUCKET}/{key_of(number)}" for number in range(bucket.keys)]
    assert shards == {row.shard for row in files} == set(range(1, job_of(records, job).cursor.shard + 1))
    assert tasks_of(records, job) >= {f"{job.job_id}-{number}" for number in shards}
    # Each start repeats the current page and the one read ahead; the end of a turn, the one read ahead.
    turns = int((time.monotonic() - began_at) / TURN_SEC)
    assert len(bucket.starts) <= PAGES + 2 * KILLS + turns
    assert bucket.starts.count(0) == 1


def tasks_of(records: Records, job: Job) -> set[str]:
    """Return the tasks of a job in DBOS."""
    status = "dbos.workflow_status" if records.database.dialect.name == "postgresql" else "workflow_status"
    query = sa.text(f"SELECT workflow_uuid FROM {status} WHERE workflow_uuid LIKE :any")  # noqa: S608 (our own names)
    with records.transaction() as connection:
        return set(connection.scalars(query, {"any": f"%{job.job_id}%"}))


def test_a_large_job_is_canceled_at_once_and_leaves_nothing_in_the_engine(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[float] = []
    lock = threading.Lock()

    def transcribe_file(_file: File, _job: Job, _rooms: JobContext, _begin_write: BeginWrite) -> Outcome:
        with lock:
            starts.append(time.monotonic())
        time.sleep(0.02)
        return Outcome.succeeded(duration_sec=1.0)

    monkeypatch.setattr(shard_work, "transcribe_file", transcribe_file)
    monkeypatch.setattr(flow, "SWEPT_AFTER_SEC", 0.0)
    (tmp_path / "calls").mkdir()
    for number in range(CANCELED_FILES):
        (tmp_path / "calls" / f"{number:05}.wav").touch()
    with running(tmp_path) as runner:
        job = runner.wait(runner.submit(), until=lambda job: job.cursor.listed and job.summary.succeeded > 0)
        assert len(tasks_of(runner.records, job)) > CANCELED_FILES / 64
        with statements_of(runner.records.database) as statements:
            assert cancel_served_job(job, runner.records)
        of_the_engine = [each for each in statements if "workflow_status" in each]
        assert [each for each in of_the_engine if not each.lstrip().startswith("INSERT")] == [], (
            "a task clears the queues"
        )
        assert runner.job(job.job_id).state is JobState.CANCELED
        wait_until(lambda: time.monotonic() - max(starts) > QUIET_SEC)
        assert len(starts) < CANCELED_FILES / 2

        def is_forgotten() -> bool:
            runner.records.flow.sweep()
            return not tasks_of(runner.records, job)

        wait_until(is_forgotten)
