"""Which jobs are interrupted: by the lock of the data directory, the workers on record and their heartbeats."""

from __future__ import annotations

import os
import shlex
import socket
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from batchscribe.cli.interrupted_jobs import InterruptionLimit, find_interrupted, resume_command
from batchscribe.database.job_rows import end_job
from batchscribe.database.worker_rows import insert_worker
from batchscribe.errors import JobInterrupted
from batchscribe.jobs.worker_record import WorkerRecord
from batchscribe.queue.tasks import SERVER_LANE
from batchscribe.settings import Settings
from batchscribe.wire.choices import JobState
from batchscribe.worker.data_directory import LOCK_NAME, lock_data_directory
from tests.jobs_on_record import stored_job
from tests.twins.clock import Clock
from tests.twins.queue import records_of
from tests.unit.test_worker_rows import ONE, grow_old

SERVED, LOCAL, WATCHED = "job_served", "job_local", "job_watched"
LANES = {SERVED: SERVER_LANE, LOCAL: LOCAL, WATCHED: "watch_1"}


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", database_url=database)


@pytest.fixture(autouse=True)
def three_jobs(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for job_id, lane in LANES.items():
            stored_job(connection, job_id=job_id, lane=lane)


def interrupted(engine: sa.Engine, settings: Settings) -> set[str]:
    return set(find_interrupted(records_of(engine), settings, list(LANES)))


def lost(settings: Settings) -> set[str]:
    """The jobs that are interrupted when nothing works: those of a fleet's servers only wait."""
    return {LOCAL, WATCHED} if settings.is_fleet else {SERVED, LOCAL, WATCHED}


def register(engine: sa.Engine, worker: WorkerRecord) -> None:
    with engine.begin() as connection:
        insert_worker(connection, worker)


def a_worker(settings: Settings, *lanes: str, pid: int | None = None) -> WorkerRecord:
    """A worker that uses the data directory exclusively, by default this process."""
    home = f"{socket.gethostname()}:{settings.data_dir}"
    return replace(ONE, home=home, pid=os.getpid() if pid is None else pid, lanes=lanes)


def test_without_a_process_every_unfinished_job_is_interrupted(engine: sa.Engine, settings: Settings) -> None:
    assert interrupted(engine, settings) == lost(settings)
    with engine.begin() as connection:
        ended = stored_job(connection, job_id="job_ended", lane="job_ended")
        end_job(connection, ended, JobState.SUCCEEDED)
    assert find_interrupted(records_of(engine), settings, ["job_ended"]) == {}
    assert not (settings.data_dir / LOCK_NAME).exists()  # looking creates nothing


@pytest.mark.parametrize("job_id", LANES)
def test_a_process_works_only_on_the_jobs_of_its_lanes(engine: sa.Engine, settings: Settings, job_id: str) -> None:
    register(engine, a_worker(settings, LANES[job_id]))
    with lock_data_directory(settings.data_dir):
        assert interrupted(engine, settings) == lost(settings) - {job_id}
    assert interrupted(engine, settings) == lost(settings)  # it was killed a moment ago


def test_the_spelling_of_the_data_directory_does_not_matter(engine: sa.Engine, settings: Settings) -> None:
    home = f"{socket.gethostname()}:{settings.data_dir.parent / 'other' / '..' / 'data'}"
    register(engine, replace(a_worker(settings, LOCAL), home=home))
    (settings.data_dir.parent / "other").mkdir()
    assert LOCAL in interrupted(engine, settings)
    with lock_data_directory(settings.data_dir):
        assert LOCAL not in interrupted(engine, settings)


def test_of_a_process_that_has_not_registered_yet_nothing_is_claimed(engine: sa.Engine, settings: Settings) -> None:
    register(engine, a_worker(settings, "another lane", pid=os.getpid() + 1))  # its dead predecessor
    with lock_data_directory(settings.data_dir):
        assert interrupted(engine, settings) == set()


def test_a_worker_elsewhere_is_known_by_its_heartbeat(engine: sa.Engine, settings: Settings) -> None:
    register(engine, replace(ONE, home="another machine:/data", lanes=(LOCAL,)))
    assert interrupted(engine, settings) == lost(settings) - {LOCAL}
    with engine.begin() as connection:
        grow_old(connection, ONE.worker_id, by_sec=settings.silent_sec + 1)
    assert interrupted(engine, settings) == lost(settings)


def test_each_job_has_the_command_that_continues_it(engine: sa.Engine, settings: Settings) -> None:
    found = find_interrupted(records_of(engine), settings, list(LANES))
    place = ["--data-dir", str(settings.data_dir)]
    assert shlex.split(found[LOCAL]) == ["batchscribe", "jobs", "resume", LOCAL, *place]
    assert shlex.split(found[WATCHED]) == ["batchscribe", "jobs", "resume", WATCHED, *place]
    if SERVED in found:
        assert shlex.split(found[SERVED]) == ["batchscribe", "serve", *place]


def test_a_command_can_be_pasted_into_a_shell_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(resume_command("job_1", Path("my $(data); rm")))
    assert words == ["batchscribe", "jobs", "resume", "job_1", "--data-dir", f"{tmp_path}/my $(data); rm"]


def test_a_wait_ends_when_no_process_worked_on_the_job_for_the_limit() -> None:
    clock, commands = Clock(100.0), {"job_1": "resume it"}
    limit = InterruptionLimit(lambda _: commands, limit_sec=60.0, clock=clock)
    body = {"job_id": "job_1"}
    assert limit.check(body) == {"job_1": "resume it"}
    clock.advance(50)
    commands.clear()  # it is resumed for a moment
    assert limit.check(body) == {}
    commands["job_1"] = "resume it"
    limit.check(body)
    clock.advance(59)
    limit.check(body)
    clock.advance(2)
    with pytest.raises(JobInterrupted, match=r"job_1 is interrupted: .* Resume it: resume it"):
        limit.check(body)
