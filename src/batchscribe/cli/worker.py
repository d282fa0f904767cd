"""`batchscribe worker`: transcribe what the servers on the same database accept."""

from __future__ import annotations

from typing import Annotated

import typer

from batchscribe.cli.options import Database, DataDir, Workers, settings_of


def worker(
    database: Database = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name in logs and metrics. By default the machine's host name.", show_default=False),
    ] = None,
    workers: Workers = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Serve /metrics on this port; 0 means any free port. Off by default."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Process the jobs in a database until SIGTERM or Ctrl-C, beside any number of other workers.

    Running files then have BATCHSCRIBE_GRACE_SEC to finish; unfinished ones go back to the other workers. If a worker
    dies, the others take over its work after BATCHSCRIBE_SILENT_SEC.
    """
    settings = settings_of(
        data_dir=data_dir, database_url=database, worker_name=name, workers=workers, metrics_port=metrics_port
    )
    from batchscribe.cli.working import run_worker  # here, so that `--help` comes at once

    raise typer.Exit(run_worker(settings))
