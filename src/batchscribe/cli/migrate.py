"""`batchscribe migrate`: bring a database up to date."""

from __future__ import annotations

import typer

from batchscribe.cli.options import Database, DataDir, settings_of


def migrate(database: Database = None, data_dir: DataDir = None) -> None:
    """Create or upgrade the tables of a database. There is no downgrade; without a new schema this does nothing.

    A SQLite file in a data directory is upgraded automatically, a PostgreSQL database only by this command. Workers
    whose release cannot use the new schema notice and exit.
    """
    settings = settings_of(data_dir=data_dir, database_url=database)
    from batchscribe.cli.records import migrated  # here, so that `--help` comes at once

    before, after = migrated(settings)
    if before == after:
        typer.echo(f"The database is up to date: schema {after}.")
    else:
        typer.echo(f"The database has schema {after} now; before, it had {before or 'none'}.")
