"""Machines that are set up at the same time migrate the same database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.integration.command import Command
from tests.servers.postgresql import PostgreSQL


def test_of_several_that_migrate_at_once_one_does_and_the_others_find_it_done(
    tmp_path: Path, postgresql: PostgreSQL
) -> None:
    url = postgresql.new_empty_database()
    command = Command(tmp_path, postgresql.settings(url))
    with ThreadPoolExecutor(3) as machines:
        results = list(machines.map(lambda _: command.run("migrate", "--database", url), range(3)))
    assert [result.status for result in results] == [0, 0, 0], results
    assert sorted("upgraded from schema none" in result.out for result in results) == [False, False, True]
