"""Several processes on one database: which ones are live, dead or rejected. On both databases."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import psutil
import pytest
import sqlalchemy as sa

from batchscribe.database.connect import open_database
from batchscribe.database.schema import newest
from batchscribe.database.worker_rows import live_workers
from batchscribe.jobs.worker_record import WorkerRecord
from tests.integration.command import Command, Started, has_ended, wait_until
from tests.integration.server import END_SEC, Server, serving
from tests.recordings import write_wav
from tests.servers.postgresql import PostgreSQL

FILES = 120
SILENT_SEC = 2.0
ANY_SEC = 3600.0  #: of silence; a busy machine may delay a heartbeat by more than `SILENT_SEC`
QUICK = {
    "BATCHSCRIBE_AUTH": "off",
    "BATCHSCRIBE_ENGINE": "scripted",
    "BATCHSCRIBE_ENGINE_PROCESSES": "1",
    "BATCHSCRIBE_HEARTBEAT_SEC": "0.5",
    "BATCHSCRIBE_SILENT_SEC": str(SILENT_SEC),
    "BATCHSCRIBE_LOG_LEVEL": "warning",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> Command:
    """The command of every process of the fleet. The environment names the database and the key."""
    environment = QUICK | {"BATCHSCRIBE_FILE_ROOTS": str(tmp_path)}
    if request.param == "postgresql":
        postgresql: PostgreSQL = request.getfixturevalue("postgresql")
        environment |= postgresql.settings(postgresql.new_database())
    return Command(tmp_path, environment)


@pytest.fixture
def fleet(postgresql: PostgreSQL, tmp_path: Path) -> Command:
    settings = postgresql.settings(postgresql.new_database())
    return Command(tmp_path, QUICK | settings | {"BATCHSCRIBE_FILE_ROOTS": str(tmp_path)})


@pytest.fixture
def on_postgresql(postgresql: PostgreSQL, tmp_path: Path) -> Command:
    """A database that is not migrated yet."""
    settings = postgresql.settings(postgresql.new_empty_database())
    return Command(tmp_path, QUICK | settings | {"BATCHSCRIBE_FILE_ROOTS": str(tmp_path)})


@contextmanager
def worker(command: Command, name: str, **settings: str) -> Iterator[Started]:
    environment = command.environment | {f"BATCHSCRIBE_{key}": value for key, value in settings.items()}
    with replace(command, environment=environment).started("worker", "--name", name) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert f"worker {name} is ready" in line, (line, process.stderr and process.stderr.read())
        yield process


def kill(process: Started) -> None:
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    wait_until(lambda: all(has_ended(each) for each in family))


def end(process: Started) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(END_SEC)


def write_calls(folder: Path, count: int = FILES) -> None:
    for number in range(count):
        write_wav(folder / "calls" / f"{number:03}.wav", duration_sec=0.5, seed=number)


def succeeded(server: Server, job_id: str) -> int:
    count: int = server.job(job_id)["summary"]["succeeded"]
    return count


def database(command: Command) -> sa.Engine:
    default = f"sqlite:///{command.folder / 'data' / 'batchscribe.db'}"
    return open_database(command.environment.get("BATCHSCRIBE_DATABASE_URL", default))


def living(command: Command, silent_sec: float = SILENT_SEC) -> list[WorkerRecord]:
    engine = database(command)
    with engine.connect() as connection:
        found = live_workers(connection, silent_sec=silent_sec)
    engine.dispose()
    return found


def test_the_files_of_a_killed_worker_are_done_by_the_other(command: Command) -> None:
    write_calls(command.folder)
    with serving(command, "--no-worker") as server, worker(command.pausing(), "first") as first:
        job_id = server.submit(command.folder)
        wait_until(lambda: succeeded(server, job_id) > 3)
        with worker(command, "second"):
            assert succeeded(server, job_id) < FILES
            kill(first)
            server.wait(job_id)
            assert server.job(job_id)["summary"]["succeeded"] == FILES
            assert len(list((command.folder / "out").glob("*.json"))) == FILES
            wait_until(lambda: [each.name for each in living(command)] == ["second"])


def test_a_worker_that_drains_leaves_nothing_for_the_reaper(command: Command) -> None:
    """The others have its unfinished shards long before it would count as silent."""
    command.environment["BATCHSCRIBE_SILENT_SEC"] = "3600"
    write_calls(command.folder)
    with serving(command, "--no-worker") as server, worker(command, "first") as first, worker(command, "second"):
        job_id = server.submit(command.folder)
        wait_until(lambda: succeeded(server, job_id) > 10)
        assert end(first) == 0
        assert [each.name for each in living(command, ANY_SEC)] == ["second"]
        server.wait(job_id)


def test_a_worker_that_was_only_paused_rejoins_without_harm(fleet: Command) -> None:
    """Not on SQLite, where a process that is paused within a write blocks all others."""
    command = fleet
    write_calls(command.folder)
    with serving(command, "--no-worker") as server, worker(command, "first") as first, worker(command, "second"):
        job_id = server.submit(command.folder)
        wait_until(lambda: succeeded(server, job_id) > 10)
        first.send_signal(signal.SIGSTOP)
        wait_until(lambda: [each.name for each in living(command)] == ["second"])
        server.wait(job_id)
        first.send_signal(signal.SIGCONT)
        wait_until(lambda: [each.name for each in living(command)] == ["first", "second"])
        assert server.job(job_id)["summary"]["succeeded"] == FILES
        again = server.submit(command.folder, output={"uri": f"{(command.folder / 'again').as_uri()}/"})
        server.wait(again)


def test_a_job_is_checked_against_what_the_workers_have(command: Command) -> None:
    """The server itself has the scripted engine, which knows English only; so has the worker."""
    command.environment["BATCHSCRIBE_SILENT_SEC"] = str(ANY_SEC)
    write_calls(command.folder, 1)
    with serving(command, "--no-worker") as server, worker(command, "only"):
        assert [each.engines[0].name for each in living(command, ANY_SEC)] == ["scripted"]
        body = {
            "input": {"mode": "SINGLE", "uri": (command.folder / "calls" / "000.wav").as_uri()},
            "output": {"uri": (command.folder / "out.json").as_uri()},
            "config": {"language": "de-DE"},
        }
        refused = server.post("/jobs", body)
        assert refused.status_code == 400
        assert "not supported by scripted" in refused.json()["message"]


def test_only_a_worker_with_the_engine_of_a_job_takes_it(command: Command, examples: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="not on this Python: no wheel of pocketsphinx")
    (command.folder / "calls").mkdir()
    shutil.copy(examples / "shopping.mp3", command.folder / "calls")
    command.environment.update({"BATCHSCRIBE_ENGINE": "pocketsphinx", "BATCHSCRIBE_SILENT_SEC": str(ANY_SEC)})
    with serving(command, "--no-worker") as server, worker(command, "scripted", ENGINE="scripted") as other:
        body = {"uri": (command.folder / "calls").as_uri(), "mode": "PREFIX"}
        refused = server.post("/jobs", {"input": body, "output": {"uri": f"{(command.folder / 'out').as_uri()}/"}})
        assert refused.status_code == 503
        assert "No worker has the engine 'pocketsphinx' now; available: scripted." in refused.text
        with worker(command, "pocketsphinx"):
            job_id = server.submit(command.folder, config={})
            server.wait(job_id)
        assert end(other) == 0
    transcript = (command.folder / "out" / "shopping.json").read_text()
    assert "pocketsphinx" in transcript


def test_no_process_starts_on_a_database_without_a_schema(on_postgresql: Command) -> None:
    for words in (["worker"], ["serve", "--port", "0"], ["keys", "list"]):
        result = on_postgresql.run(*words)
        assert result.status == 2
        assert "run `batchscribe migrate` with the same database first" in result.err


def test_migrate_reports_what_it_did_and_does_it_once(on_postgresql: Command) -> None:
    first, second = on_postgresql.run("migrate"), on_postgresql.run("migrate")
    assert re.fullmatch(r"The database was upgraded from schema none to \w+.\n", first.out)
    assert (first.err, second.err) == ("", "")
    assert re.fullmatch(r"The database is up to date: schema \w+.\n", second.out)
    assert on_postgresql.run("keys", "list").status == 0


def test_a_schema_of_a_later_release_is_rejected_by_all_processes(command: Command) -> None:
    assert command.run("migrate").status == 0
    _set_schema(command, "9999")
    for words in (["worker"], ["serve", "--port", "0"], ["migrate"]):
        result = command.run(*words)
        assert result.status == 2
        assert "has schema 9999, which is newer" in result.err


def test_a_worker_ends_when_the_database_is_migrated_under_it(command: Command) -> None:
    assert command.run("migrate").status == 0
    with worker(command, "old") as process:
        _set_schema(command, "9999")
        assert process.wait(END_SEC) == 1
        assert process.stderr is not None
        assert "Another release migrated the database" in process.stderr.read()


def test_a_server_ends_when_the_database_is_migrated_under_it(command: Command) -> None:
    with serving(command) as server:
        assert httpx2.get(f"{server.url}/readyz").status_code == 200
        _set_schema(command, "9999")
        assert server.process.wait(END_SEC) == 1


def test_a_server_without_a_worker_is_not_ready_on_another_schema(command: Command) -> None:
    with serving(command, "--no-worker") as server:
        _set_schema(command, "9999")
        answer = httpx2.get(f"{server.url}/readyz")
        assert answer.status_code == 503
        assert "newer" in answer.json()["message"]
        assert server.end() == 0


def test_servers_and_workers_keep_running_while_a_fleet_is_upgraded(command: Command) -> None:
    """The database is migrated to the new release while workers of the old one still have jobs."""
    write_calls(command.folder, 8)
    with serving(command, "--no-worker") as server, worker(command, "old") as process:
        _set_schema(command, f"9999_fits_{newest()[:4]}")
        server.wait(server.submit(command.folder))
        assert httpx2.get(f"{server.url}/readyz").status_code == 200
        assert process.poll() is None
    assert command.run("keys", "list").status == 0


def _set_schema(command: Command, version: str) -> None:
    engine = database(command)
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE batchscribe_schema SET version_num = '{version}'"))  # noqa: S608
    engine.dispose()


def test_a_fleet_needs_the_key_in_its_settings(on_postgresql: Command) -> None:
    on_postgresql.run("migrate")
    del on_postgresql.environment["BATCHSCRIBE_SECRET_KEY"]
    result = on_postgresql.run("worker")
    assert result.status == 2
    assert "BATCHSCRIBE_SECRET_KEY is not set" in result.err
    assert not (on_postgresql.folder / "data" / "secret.key").exists()


def test_a_process_with_another_key_says_so_at_its_start(command: Command) -> None:
    with serving(command, "--no-worker"):
        command.environment["BATCHSCRIBE_SECRET_KEY"] = "A" * 43 + "="
        result = command.run("worker")
    assert result.status == 1
    assert "BATCHSCRIBE_SECRET_KEY differs from the key of the processes that used this database before" in result.err


def test_a_new_key_in_front_of_the_old_one_is_taken_by_all(on_postgresql: Command) -> None:
    old, new = on_postgresql.environment["BATCHSCRIBE_SECRET_KEY"], "A" * 43 + "="
    on_postgresql.run("migrate")
    for key, status in ((old, 0), (f"{new},{old}", 0), (new, 0), (old, 1)):
        on_postgresql.environment["BATCHSCRIBE_SECRET_KEY"] = key
        assert on_postgresql.run("keys", "list").status == status
