"""The PostgreSQL test server: separate databases, crashes, and nothing left behind."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
import sqlalchemy as sa

from batchscribe.database.connect import open_database
from batchscribe.database.schema import is_usable
from tests.documents import ROOT
from tests.integration.command import has_ended, wait_until
from tests.servers.postgresql import Mode, PostgreSQL, running_postgresql


@pytest.fixture(scope="module")
def server(postgresql: PostgreSQL) -> Iterator[PostgreSQL]:
    """A server for this file only, because its tests stop it. Skipped like the shared one."""
    del postgresql
    with running_postgresql() as started:
        yield started


def opened(url: str) -> sa.Engine:
    return sa.create_engine(open_database(url).url, poolclass=sa.NullPool)


def test_every_database_is_migrated_and_separate(server: PostgreSQL) -> None:
    one, other = opened(server.new_database()), opened(server.new_database())
    with one.begin() as connection:
        connection.execute(sa.text("CREATE TABLE mine (x INTEGER)"))
    assert is_usable(one)
    assert is_usable(other)
    assert sa.inspect(one).has_table("mine")
    assert not sa.inspect(other).has_table("mine")


def test_an_empty_database_has_no_table(server: PostgreSQL) -> None:
    assert sa.inspect(opened(server.new_empty_database())).get_table_names() == []


def test_a_database_is_dropped_despite_open_connections(server: PostgreSQL) -> None:
    url = server.new_database()
    engine = opened(url)
    with engine.connect():
        server.drop(url)
    with pytest.raises(sa.exc.OperationalError, match="does not exist"):
        engine.connect()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_what_was_committed_is_there_after_a_restart_and_the_address_is_the_same(
    server: PostgreSQL, mode: Mode
) -> None:
    engine = opened(server.new_database())
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE kept (x INTEGER)"))
    with engine.connect() as connection:
        server.restart(mode)
        with pytest.raises(sa.exc.OperationalError):
            connection.execute(sa.text("SELECT 1"))
    assert sa.inspect(engine).has_table("kept")


def test_words_are_sorted_as_people_do(server: PostgreSQL) -> None:
    with opened(server.new_empty_database()).connect() as connection:
        rows = connection.execute(sa.text("SELECT word FROM (VALUES ('b'), ('B'), ('a')) AS t (word) ORDER BY word"))
        assert [row[0] for row in rows] == ["a", "b", "B"]


KILLED_WITH_ITS_SERVER = """
import signal
from tests.servers.postgresql import running_postgresql

with running_postgresql() as server:
    print(server.folder, server.url("postgres"), flush=True)
    signal.pause()
"""


def test_it_ends_when_the_process_that_started_it_is_killed(server: PostgreSQL) -> None:
    del server
    command = [sys.executable, "-c", KILLED_WITH_ITS_SERVER]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        folder, url = victim.stdout.readline().split()
        family = psutil.Process(victim.pid).children(recursive=True)
        assert "postgres" in {process.name() for process in family}
        victim.send_signal(signal.SIGKILL)
    wait_until(lambda: all(has_ended(process) for process in family))
    shutil.rmtree(folder)
    with pytest.raises(sa.exc.OperationalError, match="refused"):
        opened(url).connect()
