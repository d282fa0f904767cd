"""`batchscribe serve`: the HTTP interface, with its workers in the same process unless told otherwise."""

from __future__ import annotations

from typing import Annotated

import typer

from batchscribe.cli.options import Database, DataDir, Workers, settings_of


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. By default 127.0.0.1.", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="Port to listen on; 0 means any free port. By default 8080.", show_default=False
        ),
    ] = None,
    data_dir: DataDir = None,
    database: Database = None,
    workers: Workers = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Only answer requests; other processes do the work.")
    ] = False,
) -> None:
    """Serve the HTTP interface until SIGTERM or Ctrl-C.

    Running files then have BATCHSCRIBE_GRACE_SEC to finish; unfinished ones are left to the next process.
    """
    settings = settings_of(data_dir=data_dir, database_url=database, host=host, port=port, workers=workers)
    from batchscribe.cli.server import run_server  # here, so that `--help` comes at once

    raise typer.Exit(run_server(settings, with_worker=not no_worker))
