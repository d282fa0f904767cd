"""`batchscribe migrate`: bring a database up to date."""

from __future__ import annotations

import typer

from batchscribe.cli.options import Database, DataDir, settings_of


def migrate(database: Database = None, data_dir: DataDir = None) -> None:
    """Make the tables in a database, or bring them up to date. Forward only, and harmless when there is nothing to do.

    A SQLite file in a data directory is brought up to date by itself; a PostgreSQL database only by this command.
    Workers that run on the older schema notice, and end.
    """
    settings = settings_of(data_dir=data_dir, database_url=database)
    from batchscribe.cli.records import migrated  # here, so that `--help` comes at once

    before, after = migrated(settings)
    if before == after:
        typer.echo(f"The database is up to date: schema {after}.")
    else:
        typer.echo(f"The database has schema {after} now; before, it had {before or 'none'}.")
