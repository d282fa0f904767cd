"""`batchscribe serve`, `worker` and `migrate`: the HTTP interface, the workers, and the schema that they share."""

from __future__ import annotations

import typer

from batchscribe.cli import options
from batchscribe.cli.lazy import lazy_imports

with lazy_imports():
    from batchscribe.cli import local_records
    from batchscribe.cli.present import console
    from batchscribe.cli.process import lifecycle


def serve(
    host: options.Host = None,
    port: options.Port = None,
    data_dir: options.DataDir = None,
    database: options.Database = None,
    engine_processes: options.EngineProcesses = None,
    workers: options.Workers = None,
    no_worker: options.NoWorker = False,
) -> None:
    """Serve the HTTP interface until SIGTERM or Ctrl-C.

    Files in progress then have BATCHSCRIBE_GRACE_SEC to finish; the next process continues unfinished ones.
    """
    settings = options.read_settings(
        data_dir=data_dir,
        database_url=database,
        host=host,
        port=port,
        engine_processes=engine_processes,
        workers=workers,
    )
    raise typer.Exit(lifecycle.run_server(settings, with_worker=not no_worker))


def worker(
    database: options.Database = None,
    name: options.WorkerName = None,
    engine_processes: options.EngineProcesses = None,
    workers: options.Workers = None,
    metrics_port: options.MetricsPort = None,
    data_dir: options.DataDir = None,
) -> None:
    """Process the jobs in a database until SIGTERM or Ctrl-C, alongside any number of other workers.

    Files in progress then have BATCHSCRIBE_GRACE_SEC to finish; other workers continue unfinished ones. If a worker
    dies, the others take over its files after BATCHSCRIBE_SILENT_SEC.
    """
    settings = options.read_settings(
        data_dir=data_dir,
        database_url=database,
        worker_name=name,
        engine_processes=engine_processes,
        workers=workers,
        metrics_port=metrics_port,
    )
    raise typer.Exit(lifecycle.run_worker(settings))


def migrate(
    database: options.Database = None, as_json: options.AsJson = False, data_dir: options.DataDir = None
) -> None:
    """Create or upgrade the tables of a database. There is no downgrade. If the schema is current, nothing changes.

    A SQLite file in a data directory is upgraded automatically, a PostgreSQL database only by this command. Workers
    whose release cannot use the new schema notice and exit.
    """
    settings = options.read_settings(data_dir=data_dir, database_url=database)
    before, after = local_records.migrate_local_records(settings)
    if as_json:
        console.print_json({"schema_before": before, "schema": after})
    elif before == after:
        typer.echo(f"The database is up to date: schema {after}.")
    else:
        typer.echo(f"The database was upgraded from schema {before or 'none'} to {after}.")
