"""Other users of the machine cannot read the database of a data directory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.command import DATA, Command


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob("batchscribe.db*")}


@contextmanager
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def test_only_its_user_can_read_a_new_database(tmp_path: Path) -> None:
    with usual_umask(), Command(tmp_path).started("serve", "--no-worker", "--port", "0") as server:
        assert server.stdout is not None
        assert "is ready" in server.stdout.readline()
        found = modes(tmp_path / DATA)
    assert found == {"batchscribe.db": 0o600, "batchscribe.db-wal": 0o600, "batchscribe.db-shm": 0o600}


def test_an_existing_database_keeps_its_permissions(tmp_path: Path) -> None:
    assert Command(tmp_path).run("keys", "create", "--tenant", "acme").status == 0
    (tmp_path / DATA / "batchscribe.db").chmod(0o640)
    assert "acme" in Command(tmp_path).run("keys", "list").out
    assert modes(tmp_path / DATA)["batchscribe.db"] == 0o640
