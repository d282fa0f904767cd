"""A fleet is upgraded without stopping: the last release works beside this one."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from batchscribe.database.schema import newest
from tests.integration.command import Command, wait_until
from tests.integration.server import serving
from tests.integration.test_fleet import ANY_SEC, QUICK, end, succeeded, worker, write_calls
from tests.recordings import write_wav
from tests.servers.postgresql import PostgreSQL

ROOT = Path(__file__).parents[2]
#: The first migration that the last release does not have.
FIRST_NEW = "0011_web.py"
VERSIONS = "src/batchscribe/database/migrations/versions"


def git(*words: str) -> bytes:
    line = ["git", "-c", f"safe.directory={ROOT}", *words]  # any owner of the checkout
    return subprocess.run(line, cwd=ROOT, capture_output=True, check=True).stdout


def release_before(migration: str, folder: Path) -> Path:
    """The source of the last commit without this migration, from the history of the repository."""
    [added] = git("log", "--diff-filter=A", "--format=%H", "--", migration).decode().split()
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{added}^", "src"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "src"


@pytest.fixture
def old(postgresql: PostgreSQL, tmp_path: Path) -> Command:
    """Commands of the earlier release, whose database is not migrated yet."""
    source = release_before(f"{VERSIONS}/{FIRST_NEW}", tmp_path / "release")
    settings = postgresql.settings(postgresql.new_empty_database())
    roots = {"BATCHSCRIBE_FILE_ROOTS": str(tmp_path), "PYTHONPATH": str(source)}
    live = {"BATCHSCRIBE_SILENT_SEC": str(ANY_SEC)}  # a worker that stalls is not taken for one that has ended
    return Command(tmp_path, QUICK | settings | roots | live)


def test_old_and_new_processes_share_a_database_with_jobs_in_progress(old: Command) -> None:
    new = replace(old, environment={**old.environment, "PYTHONPATH": ""})
    write_calls(old.folder, 40)
    assert newest() not in old.run("migrate").out
    with serving(old, "--no-worker") as server, worker(old, "old") as old_worker:
        job_id = server.submit(old.folder)
        wait_until(lambda: succeeded(server, job_id) > 5)
        assert f"to {newest()}." in new.run("migrate").out
        with worker(new, "new") as new_worker, serving(new, "--no-worker") as new_server:
            server.wait(job_id)
            for each in (server, new_server):
                output = {"uri": f"{(old.folder / each.url.rpartition(':')[2]).as_uri()}/"}
                again = each.submit(old.folder, output=output)
                server.wait(again)
                assert new_server.job(again)["summary"]["succeeded"] == len(list((old.folder / "calls").iterdir()))
            assert old_worker.poll() is None
            body = {
                "input": {"mode": "PREFIX", "uri": (old.folder / "calls").as_uri()},
                "output": {"uri": f"{(old.folder / 'scored').as_uri()}/"},
                "config": {"output_formats": ["json", "peaks"], "segmentation_mode": "none"},
            }
            assert "The worker old has an earlier release" in new_server.post("/jobs", body).text
            call = {"input": {"uri": (old.folder / "late.wav").as_uri()}, "config": {"segmentation_mode": "none"}}
            output = {"uri": (old.folder / "late.json").as_uri()}
            late = new_server.post("/jobs", call | {"output": output}).json()["job_id"]
            new_server.wait(late, "FAILED")
            write_wav(old.folder / "late.wav")
            assert "The worker old has an earlier release" in new_server.post(f"/jobs/{late}/retry", {}).text
            assert end(old_worker) == 0
            assert new_server.post(f"/jobs/{late}/retry", {}).json()["state"] == "PROCESSING"
            new_server.wait(late)
            scored = new_server.post("/jobs", body).json()["job_id"]
            new_server.wait(scored)
            last = server.submit(old.folder, output={"uri": f"{(old.folder / 'last').as_uri()}/"})
            server.wait(last)
            assert end(new_worker) == 0
