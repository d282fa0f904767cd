"""Check of the schema version."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.schema import fits, is_newer, newest, version_of
from batchscribe.doctor.check import Check, failed, ok, warning
from batchscribe.settings import Settings

NAME = "schema"


def check_version(connection: sa.Connection, settings: Settings) -> Check:
    version = version_of(connection)
    if version == newest():
        return ok(NAME, f"The schema is {version}, that of this release.")
    if fits(version):
        return ok(NAME, f"The schema is {version}, of a newer release; this release can work with it.")
    found = "There is no batchscribe schema yet" if version is None else f"The schema is {version}"
    needed = f"{found}, and this release needs {newest()}."
    if is_newer(version):
        return failed(NAME, needed, "Install the release of batchscribe that the other processes run.")
    if settings.is_fleet:
        return failed(NAME, needed, "Run `batchscribe migrate` with the same database.")
    return warning(NAME, needed, "The next command that uses the database upgrades it, or `batchscribe migrate`.")
