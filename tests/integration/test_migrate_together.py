"""Processes that start at the same time migrate the same database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from batchscribe.database.connect import open_database
from batchscribe.database.schema import migrate, newest
from tests.integration.command import Command
from tests.servers.postgresql import PostgreSQL

AT_ONCE = 6


def test_of_several_that_migrate_at_once_one_does_and_the_others_find_it_done(
    tmp_path: Path, postgresql: PostgreSQL
) -> None:
    url = postgresql.new_empty_database()
    command = Command(tmp_path, postgresql.settings(url))
    with ThreadPoolExecutor(3) as machines:
        results = list(machines.map(lambda _: command.run("migrate", "--database", url), range(3)))
    assert [result.status for result in results] == [0, 0, 0], results
    assert sorted("upgraded from schema none" in result.out for result in results) == [False, False, True]


def test_commands_that_open_a_new_data_directory_at_once_migrate_its_file_once(tmp_path: Path) -> None:
    barrier = Barrier(AT_ONCE)

    def open_and_migrate(_: int) -> str | None:
        database = open_database(f"sqlite:///{tmp_path / 'new.db'}")
        try:
            barrier.wait(60)
            before, after = migrate(database)
        finally:
            database.dispose()
        assert after == newest()
        return before

    with ThreadPoolExecutor(AT_ONCE) as processes:
        before = list(processes.map(open_and_migrate, range(AT_ONCE)))
    assert sorted(map(str, before)) == sorted([*[newest()] * (AT_ONCE - 1), "None"])
