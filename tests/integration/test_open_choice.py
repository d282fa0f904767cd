"""Jobs that a server accepts while no worker is live: the worker that lists them chooses the engine. On PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from batchscribe.database.tables import job
from tests.integration.command import Command, wait_until
from tests.integration.server import PREFIX, Server, serving
from tests.integration.test_fleet import QUICK, database, worker, write_calls
from tests.models.whisper import Line, scripted_whisper
from tests.servers.postgresql import PostgreSQL


@pytest.fixture
def fleet(postgresql: PostgreSQL, tmp_path: Path) -> Command:
    """The server's machine has the built-in engine and no model, and `auto` would choose it."""
    write_calls(tmp_path, 2)
    settings = postgresql.settings(postgresql.new_database())
    changed = {"BATCHSCRIBE_ENGINE": "auto", "BATCHSCRIBE_DEVICE": "cpu", "BATCHSCRIBE_FILE_ROOTS": str(tmp_path)}
    return Command(tmp_path, QUICK | settings | changed)


def binding(command: Command, job_id: str) -> tuple[str, str | None]:
    """Return the engine and the model in the row of a job."""
    engine = database(command)
    with engine.connect() as connection:
        row = connection.execute(sa.select(job.c.engine, job.c.model).where(job.c.job_id == job_id)).one()
    engine.dispose()
    return row.engine, row.model


def machine_with_whisper(command: Command) -> str:
    scripted_whisper(command.folder / "machine" / "models" / "base", Line("words of a worker"))
    return str(command.folder / "machine")


def dry_run(server: Server, folder: Path) -> dict[str, Any]:
    body = {
        "input": {"mode": "PREFIX", "uri": (folder / "calls").as_uri()},
        "output": {"uri": f"{(folder / 'out').as_uri()}/"},
    }
    answer = httpx2.post(f"{server.url}{PREFIX}/jobs", params={"dry_run": "true"}, json=body)
    assert answer.status_code == 200, answer.text
    preview: dict[str, Any] = answer.json()
    return preview


def test_the_worker_that_lists_the_job_chooses_its_own_engine(fleet: Command) -> None:
    """The server has another engine. A dry run says that the choice is still open."""
    with serving(fleet, "--no-worker") as server:
        preview = dry_run(server, fleet.folder)
        assert preview["matched"] == 2
        assert any("No worker is live" in warning for warning in preview["warnings"])
        job_id = server.submit(fleet.folder)
        assert binding(fleet, job_id) == ("auto", None)
        with worker(fleet, "gpu", DATA_DIR=machine_with_whisper(fleet)):
            wait_until(lambda: not dry_run(server, fleet.folder)["warnings"])
            server.wait(job_id)
        assert binding(fleet, job_id) == ("whisper", "whisper-base")
    texts = [path.read_text() for path in (fleet.folder / "out").glob("*.json")]
    assert len(texts) == 2
    assert all("words of a worker" in text for text in texts)


@pytest.mark.parametrize(
    ("config", "code", "sentence"),
    [
        ({"language": "de-DE"}, "UNSUPPORTED_LANGUAGE", "not supported by scripted"),
        ({"diarization": True}, "OPTION_NOT_AVAILABLE", "No worker has the speaker models"),
    ],
)
def test_a_job_that_no_worker_can_do_fails_with_the_reason(
    fleet: Command, config: dict[str, Any], code: str, sentence: str
) -> None:
    """As its submission would have been refused. Once a worker can do it, it can be retried."""
    with serving(fleet, "--no-worker") as server:
        job_id = server.submit(fleet.folder, config=config)
        with worker(fleet, "only", ENGINE="scripted"):
            server.wait(job_id, "FAILED")
        error = server.job(job_id)["error"]
        assert error["code"] == code
        assert sentence in error["message"]
        if "language" in config:
            with worker(fleet, "gpu", DATA_DIR=machine_with_whisper(fleet)):
                assert server.post(f"/jobs/{job_id}/retry", {}).status_code < 300
                server.wait(job_id)


def test_a_job_for_a_named_engine_waits_for_its_worker(fleet: Command) -> None:
    """A worker with another engine, which starts first, neither fails the job nor does its files."""
    named = replace(fleet, environment=fleet.environment | {"BATCHSCRIBE_ENGINE": "whisper"})
    with serving(named, "--no-worker") as server:
        job_id = server.submit(fleet.folder)
        with worker(fleet, "other", ENGINE="scripted"):
            wait_until(lambda: server.job(job_id)["summary"]["total_files"] == 2)
            assert server.job(job_id)["summary"]["succeeded"] == 0
            with worker(fleet, "gpu", DATA_DIR=machine_with_whisper(fleet)):
                server.wait(job_id)
    assert binding(fleet, job_id)[0] == "whisper"


def test_a_job_that_waits_for_a_choice_is_not_reported_as_stranded(fleet: Command) -> None:
    with serving(fleet, "--no-worker") as server:
        server.submit(fleet.folder)
        checks = json.loads(fleet.run("doctor", "--json").out)["checks"]
    assert not any("wait for the engine" in json.dumps(each) for each in checks)
