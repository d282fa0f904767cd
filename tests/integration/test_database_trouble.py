"""A database that restarts or ends an idle transaction delays work, but no file fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from batchscribe.database import connect as engine_module
from batchscribe.database.bulk import insert_rows
from batchscribe.database.connect import DATABASE_TROUBLE, cause_of, open_database
from batchscribe.database.tables import turn
from tests.integration.command import wait_until
from tests.integration.flow_runner import running
from tests.integration.pausing_pool import PausingPool
from tests.recordings import write_wav
from tests.servers.postgresql import PostgreSQL, running_postgresql


@pytest.fixture
def engine(postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    """A database on which transactions may be idle for a second."""
    monkeypatch.setattr(engine_module, "IDLE_SEC", 1)
    opened = open_database(postgresql.new_database())
    yield opened
    opened.dispose()


def after_standing_still(engine: sa.Engine, do: Callable[[sa.Connection], object]) -> None:
    with engine.begin() as connection:
        connection.execute(sa.select(1))
        time.sleep(2)
        do(connection)


def test_a_transaction_that_stands_still_is_ended_and_that_is_trouble_with_the_database(engine: sa.Engine) -> None:
    with pytest.raises(DATABASE_TROUBLE) as told:
        after_standing_still(engine, lambda connection: connection.execute(sa.select(1)))
    assert "idle-in-transaction" in cause_of(told.value)


def test_so_is_a_copy_into_a_table(engine: sa.Engine) -> None:
    rows = [{"name": "a secret", "taken_at": 0.0}]
    with pytest.raises(DATABASE_TROUBLE) as told:
        after_standing_still(engine, lambda connection: insert_rows(connection, turn, rows))
    assert "a secret" not in str(told.value)


def test_errors_do_not_tell_the_values_of_a_statement(engine: sa.Engine) -> None:
    row = sa.insert(turn).values(name="twice", taken_at=12345.0)
    with engine.begin() as connection:
        connection.execute(row)
    with pytest.raises(sa.exc.IntegrityError) as told, engine.begin() as connection:
        connection.execute(row)
    assert "12345" not in str(told.value)


def test_a_job_survives_restarts_of_its_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        write_wav(tmp_path / "calls" / f"{number:02}.wav")
    with running_postgresql() as server:
        for name, value in server.settings(server.new_database()).items():
            monkeypatch.setenv(name, value)
        with running(tmp_path, heartbeat_sec=1.0) as runner:
            job = runner.submit()
            runner.wait(job, until=lambda job: job.summary.succeeded > 5)
            server.restart("immediate")
            runner.wait(job, until=lambda job: job.summary.succeeded > 20)
            server.restart("fast")
            assert runner.wait(job).summary.succeeded == 60


def test_a_running_file_is_transcribed_once_despite_database_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows check whether their job is active, and the end is committed. Neither may lose what was transcribed."""
    write_wav(tmp_path / "calls" / "long.wav", duration_sec=120.0)
    with running_postgresql() as server:
        for name, value in server.settings(server.new_database()).items():
            monkeypatch.setenv(name, value)
        pool = PausingPool(1)
        with running(tmp_path, make_pool=lambda *_: pool) as runner, capture_logs() as lines:
            job = runner.wait(runner.submit(), until=lambda job: job.summary.processing == 1)
            server.stop("immediate")
            pool.resume()
            # The transcript is written, but not yet committed.
            wait_until(lambda: any(line["event"] == "database.trouble" and "file_id" in line for line in lines))
            server.start()
            assert runner.wait(job).summary.succeeded == 1
            assert [file.attempt for file in runner.files(job)] == [1]
