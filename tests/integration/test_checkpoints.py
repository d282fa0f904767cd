"""Checkpoints of long recordings: what a kill repeats, what is stored, and when it is deleted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import sqlalchemy as sa

from batchscribe.audio.decoder import Position
from batchscribe.database.checkpoint_rows import CheckpointPart, add_part, last_fruitful_attempt, list_parts
from batchscribe.database.file_rows import claim, get_file, requeue
from batchscribe.database.job_rows import get_job
from batchscribe.database.shard_rows import begin_shard
from batchscribe.database.tables import checkpoint
from batchscribe.jobs.model import File, Job
from batchscribe.queue.records import Records, open_records
from batchscribe.settings import load_settings
from batchscribe.stages.checkpoint import NoStore, StoredWindows
from batchscribe.stages.checkpoint_parts import Checkpoints, FileParts
from batchscribe.stages.finish import cancel_job
from batchscribe.storage.local.file_store import FileStore
from batchscribe.storage.store import Recording
from batchscribe.wire.choices import JobState
from tests.databases import stored_bytes
from tests.integration.checkpoint_victim import LEDGER, MAX_DEATHS
from tests.integration.command import wait_until
from tests.integration.flow_runner import FlowRunner, running
from tests.integration.pausing_pool import pausing_after
from tests.preloaded import victim
from tests.recordings import write_wav

pytestmark = pytest.mark.usefixtures("database")

VICTIM = "tests.integration.checkpoint_victim"
LONG_SEC = 300.0
CALL_SEC = 0.1  #: of the engine, for a window
WINDOW_SEC = 30.0  #: at most
MOST_REPEATED_SEC = 300.0  #: by a kill
KILLED_AFTER = 3  #: windows, after which the engines pause; three kills leave some of those of `LONG_SEC`
FIRST = 4  #: windows, which the engines recognize before they pause
NEVER = 1_000_000


def n_parts(runner: FlowRunner) -> int:
    with runner.records.transaction() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(checkpoint)) or 0


def windows_of(folder: Path) -> list[str]:
    """Return the windows that the engines have recognized, over all attempts, by their start."""
    ledger = folder / LEDGER
    return ledger.read_text().split() if ledger.exists() else []


def killed_after(
    folder: Path, windows: int, *, job: str = "job_victim", when: Callable[[], bool] = lambda: True
) -> bool:
    """Kill a worker when its engines have recognized this many windows, it has stored some of them, and `when` holds.

    Return False if fewer windows were left, so that it finished.
    """
    before = len(windows_of(folder))
    with stored_windows(folder) as n_stored, victim(VICTIM, str(folder), job, str(CALL_SEC), str(windows)) as worker:
        stored_before = n_stored()
        assert worker.stdout is not None
        assert worker.stdout.readline() == "working\n"
        while worker.poll() is None:
            if len(windows_of(folder)) - before >= windows and n_stored() > stored_before and when():
                worker.kill()
                return True
            time.sleep(0.01)
        assert worker.returncode == 0
    return False


@contextmanager
def stored_windows(folder: Path) -> Iterator[Callable[[], int]]:
    """Yield a function that counts the windows that are stored without a gap."""
    records = open_records(load_settings(data_dir=folder / "data"))

    def count() -> int:
        with records.transaction() as connection:
            return connection.scalar(sa.select(sa.func.max(checkpoint.c.n_known))) or 0

    yield count
    records.database.dispose()


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
    assert kills > MAX_DEATHS
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


def wait_for_part(runner: FlowRunner) -> None:
    wait_until(lambda: n_parts(runner) > 0)


def test_a_worker_that_stops_in_order_leaves_its_work_to_the_next(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "long.wav", duration_sec=600.0)
    with running(tmp_path, make_pool=pausing_after(FIRST)) as runner:
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
    with running(tmp_path, make_pool=pausing_after(FIRST)) as runner:
        job = runner.submit()
        wait_for_part(runner)
        assert b"quick" not in stored_bytes(runner.settings.effective_database_url)
        assert cancel_job(runner.job(job.job_id), runner.records)
        runner.wait(job)
        assert n_parts(runner) == 0
    left = n_parts(runner)
    runner.records.database.dispose()
    assert left == 0, "the file that was in progress has ended, too"


@contextmanager
def claimed(folder: Path) -> Iterator[tuple[Records, Job, File]]:
    """A file with a checkpoint that this test works on instead of a worker: its second attempt."""
    write_wav(folder / "calls" / "long.wav", duration_sec=600.0)
    with running(folder, make_pool=pausing_after(FIRST)) as runner:
        job = runner.submit()
        wait_for_part(runner)
    records = runner.records
    with records.transaction() as connection:
        file = get_file(connection, job.number, 1)
        run = begin_shard(connection, job.number, 1)
        assert claim(connection, file, run=run or 0)
        job = get_job(connection, job.job_id)
        file = get_file(connection, job.number, 1)
    yield records, job, replace(file, has_checkpoint=True)
    records.database.dispose()


def test_only_the_attempt_that_holds_the_file_adds_parts(tmp_path: Path) -> None:
    with claimed(tmp_path) as (records, _, file), records.transaction() as connection:
        parts = list_parts(connection, file)
        part = CheckpointPart(parts[-1].number + 1, parts[-1].n_known + 1, "identity", "key", b"sealed")
        assert not add_part(connection, replace(file, attempt=file.attempt - 1), part), "that attempt is over"
        assert add_part(connection, file, part)
        assert list_parts(connection, file) == [*parts, part]
        requeue(connection, file)
        assert not add_part(connection, file, replace(part, number=part.number + 1)), "it is queued"


def test_an_attempt_that_only_filled_windows_behind_a_gap_came_no_further(tmp_path: Path) -> None:
    with claimed(tmp_path) as (records, _, file), records.transaction() as connection:
        of_file = {"job": file.job_number, "seq": file.seq, "identity": "", "key_id": "", "sealed": b""}
        for attempt, n_known in ((1, 3), (2, 3), (3, 5), (4, 5)):
            row = {"attempt": attempt, "part": 100 + attempt, "n_known": 1000 + n_known}
            connection.execute(sa.insert(checkpoint).values(of_file | row))
        assert last_fruitful_attempt(connection, file) == 3
        anew = {"attempt": 5, "part": 105, "n_known": 1, "identity": "of another recording"}
        connection.execute(sa.insert(checkpoint).values(of_file | anew))
        assert last_fruitful_attempt(connection, file) == 5, "it started again, and came further than nothing"


def test_a_part_whose_commit_was_not_acknowledged_does_not_block_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add_and_lose_connection(connection: sa.Connection, file: File, part: CheckpointPart) -> bool:
        assert add_part(connection, file, part)
        connection.commit()
        raise sa.exc.OperationalError("COMMIT", {}, Exception("the connection was lost"))

    with claimed(tmp_path) as (records, job, file):
        store = FileParts(job, file, "identity", records)
        assert list(store.read()) == [], "the others are of another identity"
        with monkeypatch.context() as patched:
            patched.setattr("batchscribe.stages.checkpoint_parts.add_part", add_and_lose_connection)
            assert store.write(b"content", 1) is None
        assert store.write(b"more content", 2)
        assert list(FileParts(job, file, "identity", records).read()) == [b"content", b"more content"]


def test_a_position_that_the_decoder_cannot_use_costs_a_retry_and_not_the_file(tmp_path: Path) -> None:
    with claimed(tmp_path) as (records, job, file):
        with records.transaction() as connection:
            identity = list_parts(connection, file)[0].identity
        store = FileParts(job, file, identity, records)
        [first, *_] = [StoredWindows.unpack(content) for content in store.read()]
        assert first
        assert store.write(replace(first, position=Position(1, "garbage")).pack(), 1_000)
        with records.transaction() as connection:
            requeue(connection, file)
    with running(tmp_path) as runner:
        assert runner.wait(job).state is JobState.SUCCEEDED


def test_a_recording_without_an_etag_has_no_checkpoint(tmp_path: Path) -> None:
    """It could change unnoticed between two attempts."""
    with claimed(tmp_path) as (records, job, file), FileStore((tmp_path,)).open(file.input_uri) as recording:
        checkpoints = Checkpoints(job, records)
        assert isinstance(checkpoints.open(file, recording, "request").store, FileParts)
        without = SimpleNamespace(size=recording.size, etag=None)
        assert isinstance(checkpoints.open(file, cast("Recording", without), "request").store, NoStore)
