"""`kill -9` while failed files are requeued, and while a deleted job is purged: the next worker finishes both."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from batchscribe.database.job_rows import find_job
from batchscribe.database.tables import file, shard
from batchscribe.stages.purge import delete_job
from batchscribe.stages.retry import retry_job
from batchscribe.wire.choices import FileState, JobState
from tests.integration.flow_runner import FlowRunner, running
from tests.preloaded import victim
from tests.recordings import write_wav

pytestmark = pytest.mark.usefixtures("database")

FILES, GOOD = 60, 5
KILLS = 5
VICTIM = "tests.integration.maintenance_victim"


def killed_after(folder: Path, job_id: str, seconds: float) -> bool:
    """Kill a worker after this time. Return False if it finished before."""
    with victim(VICTIM, str(folder), job_id) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "working\n"
        try:
            assert worker.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            worker.kill()
            return True
    return False


def count_rows(runner: FlowRunner, table: sa.Table) -> int:
    with runner.records.transaction() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_retry_survives_being_killed_at_random_moments(tmp_path: Path) -> None:
    names = [f"{number:03}" for number in range(FILES)]
    for number, name in enumerate(names[:GOOD]):
        write_wav(tmp_path / "calls" / f"{name}.wav", duration_sec=0.5, seed=number)
    for name in names[GOOD:]:
        (tmp_path / "calls" / f"{name}.wav").write_bytes(b"no recording")
    with running(tmp_path) as runner:
        job = runner.run()
        assert job.summary.failed == FILES - GOOD
        for number, name in enumerate(names[GOOD:]):
            write_wav(tmp_path / "calls" / f"{name}.wav", duration_sec=0.5, seed=number)
        runner.worker.drain(0)
        retry_job(job, runner.records, silent_sec=30)
    moment = random.Random(7)  # noqa: S311 - no secret
    kills = sum(killed_after(tmp_path, job.job_id, moment.uniform(0.1, 0.7)) for _ in range(KILLS))
    assert kills >= 2
    assert not killed_after(tmp_path, job.job_id, 120.0)
    with running(tmp_path) as runner:
        job = runner.job(job.job_id)
        files = runner.files(job)
        shards = {each.shard or 0 for each in files}
        assert (job.state, job.summary.succeeded, job.summary.failed) == (JobState.SUCCEEDED, FILES, 0)
        assert {each.state for each in files} == {FileState.SUCCEEDED}
        assert max(shards) == job.cursor.shard == count_rows(runner, shard)
        assert len(runner.outputs()) == FILES
        assert job.progress.estimated_lost_sec == 0


def test_a_purge_survives_being_killed_at_random_moments(tmp_path: Path) -> None:
    for number in range(FILES):
        write_wav(tmp_path / "calls" / f"{number:03}.wav", duration_sec=0.5, seed=number)
    with running(tmp_path) as runner:
        job, other = runner.run(), runner.run(sources=(runner.file("calls/000.wav"),))
        runner.worker.drain(0)
        delete_job(job, runner.records)
    moment = random.Random(8)  # noqa: S311 - no secret
    kills = sum(killed_after(tmp_path, job.job_id, moment.uniform(0.05, 0.3)) for _ in range(KILLS))
    assert kills >= 1
    assert not killed_after(tmp_path, job.job_id, 120.0)
    with running(tmp_path) as runner:
        with runner.records.transaction() as connection:
            assert find_job(connection, job.job_id) is None
        assert count_rows(runner, file) == len(runner.files(other)) == 1
        assert count_rows(runner, shard) == 1
        assert len(runner.outputs()) == FILES
