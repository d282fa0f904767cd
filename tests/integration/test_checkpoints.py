"""Checkpoints of long recordings: what a kill repeats, what is stored, and when it is deleted."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from batchscribe.database.checkpoint_rows import CheckpointPart, add_part, last_fruitful_attempt, list_parts
from batchscribe.database.file_rows import claim, find_file, requeue
from batchscribe.database.shard_rows import begin_shard
from batchscribe.database.tables import checkpoint
from batchscribe.jobs.model import File
from batchscribe.speech.inline import InlinePool
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.stages.finish import cancel_job
from batchscribe.wire.choices import JobState
from tests.databases import stored_bytes
from tests.integration.checkpoint_victim import LEDGER
from tests.integration.flow_runner import FlowRunner, running
from tests.recordings import write_wav
from tests.untraced import untraced_environment

pytestmark = pytest.mark.usefixtures("database")

ROOT = Path(__file__).resolve().parents[2]
LONG_SEC = 450.0
CALL_SEC = 0.1  #: of the engine, for a window
WINDOW_SEC = 30.0  #: at most
MOST_REPEATED_SEC = 300.0  #: by a kill
KILLED_AFTER = 6  #: windows
NEVER = 1_000_000
MOST_DEATHS = 3  #: of workers during one file, unless each came further than the one before


def n_parts(runner: FlowRunner) -> int:
    with runner.records.transaction() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(checkpoint)) or 0


def windows_of(folder: Path) -> list[str]:
    """Return the windows that the engines have recognized, over all attempts, by their start."""
    ledger = folder / LEDGER
    return ledger.read_text().split() if ledger.exists() else []


def killed_after(folder: Path, windows: int, *, job: str = "job_victim") -> bool:
    """Kill a worker when its engines have recognized this many windows. Return False if it finished before."""
    before = len(windows_of(folder))
    command = [sys.executable, "-m", "tests.integration.checkpoint_victim", str(folder), job, str(CALL_SEC)]
    with subprocess.Popen(command, cwd=ROOT, env=untraced_environment(), stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "working\n"
        while victim.poll() is None:
            if len(windows_of(folder)) - before >= windows:
                victim.kill()
                return True
            time.sleep(0.01)
        assert victim.returncode == 0
    return False


def output(folder: Path) -> bytes:
    return (folder / "out" / "long.json").read_bytes()


def test_a_long_recording_survives_more_kills_than_a_file_may_have_and_its_bytes_are_the_same(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "long.wav", duration_sec=LONG_SEC)
    assert not killed_after(tmp_path, NEVER, job="undisturbed")
    undisturbed, its_windows = output(tmp_path), windows_of(tmp_path)
    (tmp_path / "out" / "long.json").unlink()
    kills = 0
    while killed_after(tmp_path, KILLED_AFTER):
        kills += 1
        assert kills < 20, "it makes no progress"
    assert output(tmp_path) == undisturbed
    assert kills > MOST_DEATHS
    windows = Counter(windows_of(tmp_path)[len(its_windows) :])
    assert windows.keys() == set(its_windows)
    repeated = windows.total() - len(windows)
    assert WINDOW_SEC * repeated <= kills * MOST_REPEATED_SEC
    with running(tmp_path) as runner:
        assert n_parts(runner) == 0


def test_a_recording_that_changed_meanwhile_starts_anew(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "calls" / "long.wav", duration_sec=300.0)
    assert killed_after(tmp_path, KILLED_AFTER)
    before = windows_of(tmp_path)
    write_wav(recording, duration_sec=240.0, seed=1)
    assert not killed_after(tmp_path, NEVER)
    again = windows_of(tmp_path)[len(before) :]
    assert "0.0" in before
    assert "0.0" in again
    assert b'"duration_sec": 240' in output(tmp_path)


def slow(_spec: object, processes: int) -> InlinePool:
    return InlinePool(ScriptedSpec(script=Script(call_sec=0.1)), processes)


def wait_for_part(runner: FlowRunner) -> None:
    deadline = time.monotonic() + 20
    while not n_parts(runner):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_worker_that_stops_in_order_leaves_its_work_to_the_next(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "long.wav", duration_sec=600.0)
    with running(tmp_path, make_pool=slow) as runner:
        job = runner.submit()
        wait_for_part(runner)
    with running(tmp_path) as runner:
        assert runner.wait(job).state is JobState.SUCCEEDED
        [file] = runner.files(job)
        assert file.attempt == 1, "the interruption is nobody's fault"
        assert n_parts(runner) == 0


def test_nothing_that_was_said_can_be_read_in_the_database_and_a_cancellation_deletes_it(
    tmp_path: Path, database: str
) -> None:
    write_wav(tmp_path / "calls" / "long.wav", duration_sec=600.0)
    with running(tmp_path, make_pool=slow) as runner:
        job = runner.submit()
        wait_for_part(runner)
        assert b"quick" not in stored_bytes(runner.settings.effective_database_url)
        assert cancel_job(runner.job(job.job_id), runner.records)
        runner.wait(job)
        assert n_parts(runner) == 0
        time.sleep(1.0)  # the file that was in progress has ended
        assert n_parts(runner) == 0


def test_only_the_attempt_that_holds_the_file_adds_parts(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "long.wav", duration_sec=600.0)
    part = CheckpointPart(1, "identity", "key", b"sealed")
    with running(tmp_path, make_pool=slow) as runner:
        job = runner.submit()
        wait_for_part(runner)
    with runner.records.transaction() as connection:
        file = find_file(connection, job.number, 1)
        assert isinstance(file, File)
        run = begin_shard(connection, job.number, 1)
        parts = list_parts(connection, file)
        part = CheckpointPart(parts[-1].number + 1, "identity", "key", b"sealed")
        assert not add_part(connection, file, part), "it is queued"
        assert claim(connection, file, run=run or 0)
        current = find_file(connection, job.number, 1)
        assert isinstance(current, File)
        assert not add_part(connection, file, part), "that attempt is over"
        assert add_part(connection, current, part)
        assert list_parts(connection, current) == [*parts, part]
        assert last_fruitful_attempt(connection, current) == current.attempt
        requeue(connection, current)
    runner.records.database.dispose()
