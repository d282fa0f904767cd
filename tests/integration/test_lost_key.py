"""What `docs/deployment.md` says about a lost secret key, with its own statement."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import sqlalchemy as sa

from tests.documents import ROOT, code_blocks
from tests.integration.command import Command
from tests.servers.postgresql import PostgreSQL


def test_a_database_whose_key_is_lost_takes_a_new_one(postgresql: PostgreSQL, tmp_path: Path) -> None:
    (block,) = [each for each in code_blocks(ROOT / "docs" / "deployment.md", "sh") if "sealing_key" in each]
    (statement,) = re.findall(r"--command '(.+)'", block)
    url = postgresql.new_database()
    before, after = Command(tmp_path, settings(url)), Command(tmp_path, settings(url))
    old = before.run("keys", "create", "--tenant", "acme", "--json").json()["api_key"]
    refused = after.run("keys", "list")
    assert (refused.status, "differs from the key" in refused.err) == (1, True)
    postgresql.execute(statement, database=str(sa.make_url(url).database))
    assert old in after.run("keys", "list").out
    assert lost_keys(after) == [f"{old} (acme)"]
    assert after.run("keys", "revoke", old).status == 0
    assert after.run("keys", "create", "--tenant", "acme").status == 0
    assert lost_keys(after) == []
    assert before.run("keys", "list").status == 1


def lost_keys(command: Command) -> list[str]:
    """Return the API keys that the doctor names, with their tenants."""
    checks = command.run("doctor", "--json").json()["checks"]
    [check] = [each for each in checks if each["name"] == "secret key"]
    assert (check["verdict"] == "warning") is ("keys revoke" in check.get("advice", "")), check
    return re.findall(r"bk_\w+ \(\w+\)", check["finding"])


def settings(url: str) -> dict[str, str]:
    """The settings of processes on this database, with a key of their own."""
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    return {"BATCHSCRIBE_DATABASE_URL": url, "BATCHSCRIBE_SECRET_KEY": key}
