"""`kill -9` at any moment: nothing is lost or written twice, and only files in progress are repeated."""

from __future__ import annotations

import random
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from batchscribe.wire.choices import FileState, JobState
from batchscribe.worker.capacity import FILES_PER_ENGINE
from tests.integration.crash_victim import LEDGER
from tests.integration.flow_runner import running
from tests.preloaded import victim
from tests.recordings import write_wav

pytestmark = pytest.mark.usefixtures("database")

FILES = 80
KILLS = 4
WORKERS = 2
VICTIM = "tests.integration.crash_victim"


def test_a_job_survives_being_killed_at_random_moments(tmp_path: Path) -> None:
    for number in range(FILES):
        write_wav(tmp_path / "calls" / f"{number:03}.wav", duration_sec=0.5, seed=number)
    moment = random.Random(1)  # noqa: S311 - no secret
    kills = sum(killed_after(tmp_path, moment.uniform(0.05, 1.2)) for _ in range(KILLS))
    assert not killed_after(tmp_path, 120.0)

    ledger = (tmp_path / LEDGER).read_text().split("\n")
    starts = Counter(line for line in ledger if line.startswith("start"))
    writes = Counter(line for line in ledger if line.startswith("write"))
    assert kills >= 2
    assert len(starts) == FILES
    assert len(writes) <= FILES  # a kill may come between a write and its line in the ledger
    assert set(writes.values()) == {1}
    assert starts.total() - FILES <= kills * WORKERS * FILES_PER_ENGINE
    with running(tmp_path) as runner:
        job = runner.job("job_victim")
        assert job.state is JobState.SUCCEEDED
        assert job.summary.succeeded == job.summary.total_files == FILES
        assert {file.state for file in runner.files(job)} == {FileState.SUCCEEDED}
        assert len(runner.outputs()) == FILES


def killed_after(folder: Path, seconds: float) -> bool:
    """Kill a worker after this time. Return False if it finished before."""
    with victim(VICTIM, str(folder), "job_victim") as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "working\n"
        try:
            assert worker.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            worker.kill()
            return True
    return False


def test_a_file_under_which_the_worker_always_dies_fails_alone(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "good.wav")
    write_wav(tmp_path / "calls" / "poison.wav")
    deaths = 0
    while dies(tmp_path):
        deaths += 1
        assert deaths <= 3
    assert deaths == 3
    with running(tmp_path) as runner:
        ends = {Path(file.input_uri).stem: file.error_code for file in runner.files(runner.job("job_victim"))}
    assert ends == {"good": None, "poison": "FILE_CRASHED_WORKER"}


def dies(folder: Path) -> bool:
    with victim(VICTIM, str(folder), "job_victim") as worker:
        return worker.wait(60) == -signal.SIGKILL
