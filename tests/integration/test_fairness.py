"""A small job does not wait for a large one of the same or another tenant. On both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchscribe.jobs.model import File, Job, Outcome
from batchscribe.stages import shard
from batchscribe.stages.job_context import JobContext
from batchscribe.stages.write_transcript import BeginWrite
from tests.integration.flow_runner import FlowRunner, running

GREEDY, MODEST = "greedy", "modest"
LARGE = 12_800  #: files, in 200 shards
STARTS_WITHIN_SEC = 5.0  #: of a free slot


class SlowFiles:
    """Replaces the processing of a file: it takes some time, and records when the first file of each job started."""

    def __init__(self) -> None:
        self.large_file_sec = 0.0
        self.began_at: dict[str, float] = {}
        self.begun: dict[str, int] = {}
        self._lock = threading.Lock()

    def transcribe_file(self, file: File, job: Job, context: JobContext, _begin_write: BeginWrite) -> Outcome:
        with self._lock:
            self.began_at.setdefault(job.job_id, time.monotonic())
            self.begun[job.job_id] = self.begun.get(job.job_id, 0) + 1
        time.sleep(self.large_file_sec if job.summary.total_files > 1 else 0.0)
        return Outcome.succeeded(duration_sec=1.0)


@pytest.fixture
def slow_files(monkeypatch: pytest.MonkeyPatch) -> SlowFiles:
    made = SlowFiles()
    monkeypatch.setattr(shard, "transcribe_file", made.transcribe_file)
    return made


@pytest.fixture
def runner(database: str, tmp_path: Path, slow_files: SlowFiles) -> Iterator[FlowRunner]:
    """Two engines, hence four files at once."""
    for folder, count in (("large", LARGE), ("small", 1)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            (tmp_path / folder / f"{number:05}.wav").touch()
    with running(tmp_path, engine_processes=2) as made:
        yield made


def until(condition: Callable[[], bool], *, within_sec: float = 60.0) -> None:
    deadline = time.monotonic() + within_sec
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def waited_sec(runner: FlowRunner, slow_files: SlowFiles, *, tenant: str, large_file_sec: float) -> float:
    """Return how long a job of one file waits behind a large job whose shards are all in the queue."""
    slow_files.large_file_sec = large_file_sec
    large = runner.submit(sources=(runner.prefix("large"),), tenant=GREEDY)
    runner.wait(large, until=lambda job: job.cursor.listed)
    until(lambda: slow_files.begun.get(large.job_id, 0) >= 8)
    submitted_at = time.monotonic()
    small = runner.submit(sources=(runner.prefix("small"),), tenant=tenant)
    until(lambda: small.job_id in slow_files.began_at)
    assert not runner.job(large.job_id).is_final
    runner.wait(small)
    return slow_files.began_at[small.job_id] - submitted_at


def test_a_job_of_another_tenant_starts_with_the_next_free_slot(runner: FlowRunner, slow_files: SlowFiles) -> None:
    """Files are long: a slot is free every 0.75 s, and the large job has many more files waiting for it."""
    assert waited_sec(runner, slow_files, tenant=MODEST, large_file_sec=3.0) < 3.0 + STARTS_WITHIN_SEC


def test_a_job_of_the_same_tenant_starts_with_the_next_free_shard(runner: FlowRunner, slow_files: SlowFiles) -> None:
    """Its first shard precedes the later ones of the large job, of which one ends about every 0.6 s."""
    assert waited_sec(runner, slow_files, tenant=GREEDY, large_file_sec=0.04) < STARTS_WITHIN_SEC
