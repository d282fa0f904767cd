"""A small job does not wait for a large one of the same or another tenant. On both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from batchscribe.jobs.model import File, Job, Outcome
from batchscribe.stages import shard
from batchscribe.stages.job_context import JobContext
from batchscribe.stages.write_transcript import BeginWrite
from tests.integration.command import wait_until
from tests.integration.flow_runner import FlowRunner, running

GREEDY, MODEST = "greedy", "modest"
LARGE = 12_800  #: files, in 200 shards
AT_ONCE = 4  #: files in progress


class SlowFiles:
    """Replaces the processing of a file: it takes some time, and records after how many files each job started."""

    def __init__(self) -> None:
        self.large_file_lasts: Callable[[], object] = lambda: None  #: for a file of a large job
        self.begun: dict[str, int] = {}
        self.begun_before: dict[str, int] = {}  #: files of all jobs, before the first one of each
        self._lock = threading.Lock()

    def transcribe_file(self, file: File, job: Job, context: JobContext, _begin_write: BeginWrite) -> Outcome:
        with self._lock:
            self.begun_before.setdefault(job.job_id, sum(self.begun.values()))
            self.begun[job.job_id] = self.begun.get(job.job_id, 0) + 1
        if job.summary.total_files > 1:
            self.large_file_lasts()
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


def files_before(runner: FlowRunner, slow_files: SlowFiles, *, tenant: str) -> int:
    """Return how many files of a large job, whose shards are all in the queue, a later job of one file waits for."""
    large = runner.submit(sources=(runner.prefix("large"),), tenant=GREEDY)
    runner.wait(large, until=lambda job: job.cursor.listed)
    wait_until(lambda: slow_files.begun.get(large.job_id, 0) >= AT_ONCE)
    begun = slow_files.begun[large.job_id]
    small = runner.submit(sources=(runner.prefix("small"),), tenant=tenant)
    wait_until(lambda: small.job_id in slow_files.begun_before)
    assert not runner.job(large.job_id).is_final
    runner.wait(small)
    return slow_files.begun_before[small.job_id] - begun


def test_a_job_of_another_tenant_waits_for_no_file(runner: FlowRunner, slow_files: SlowFiles) -> None:
    """The files in progress do not end before it has ended, and many more wait for their slots."""
    may_end = threading.Event()
    slow_files.large_file_lasts = partial(may_end.wait, 150.0)
    try:
        assert files_before(runner, slow_files, tenant=MODEST) == 0
    finally:
        may_end.set()


def test_a_job_of_the_same_tenant_starts_with_the_next_free_shard(runner: FlowRunner, slow_files: SlowFiles) -> None:
    """Its first shard precedes the later ones of the large job, of which one ends about every 0.6 s."""
    slow_files.large_file_lasts = partial(time.sleep, 0.04)
    assert files_before(runner, slow_files, tenant=GREEDY) < LARGE / 4
