"""The command tree, and the one place where an error becomes a sentence and an exit status."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from batchscribe import __version__
from batchscribe.cli.doctor import doctor
from batchscribe.cli.jobs import jobs_app
from batchscribe.cli.keys import keys_app
from batchscribe.cli.migrate import migrate
from batchscribe.cli.models import models_app
from batchscribe.cli.serve import serve
from batchscribe.cli.transcribe import transcribe
from batchscribe.cli.webhooks import webhooks_app
from batchscribe.cli.worker import worker
from batchscribe.errors import BatchscribeError, UsageError

EXIT_FAILED, EXIT_USAGE = 1, 2

app = typer.Typer(
    name="batchscribe",
    help="Transcribe recordings in batches, on the command line or as a service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(transcribe)
app.command()(serve)
app.command()(worker)
app.command()(migrate)
app.command()(doctor)
app.add_typer(jobs_app, name="jobs")
app.add_typer(keys_app, name="keys")
app.add_typer(models_app, name="models")
app.add_typer(webhooks_app, name="webhooks")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"batchscribe {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What every command understands."""


def main() -> None:
    """Run the command of this process; usage errors end with status 2, others of ours with 1."""
    try:
        app(prog_name="batchscribe")
    except UsageError as error:
        _complain(error, EXIT_USAGE)
    except BatchscribeError as error:
        _complain(error, EXIT_FAILED)
    except (MemoryError, OSError, RuntimeError) as error:
        told = _told(error)
        if told is None:
            raise
        typer.echo(f"Error: {told.message}", err=True)
        # Threads that the system refused may be waited for at a clean end; work on record bears this one.
        os._exit(EXIT_FAILED)


def _told(error: Exception) -> BatchscribeError | None:
    """What the machine lacks, in a sentence; none for a mistake of ours."""
    from batchscribe.work.want import want_of  # here, so that `--help` comes at once

    if want := want_of(error):
        return want
    if not isinstance(error, OSError) or error.errno is None:
        return None
    place = f" {error.filename}" if error.filename else ""
    return BatchscribeError(
        f"The system denied batchscribe the use of{place or ' something it needs'}: {error.strerror}. "
        "Run `batchscribe doctor`."
    )


def _complain(error: BatchscribeError, status: int) -> None:
    typer.echo(f"Error: {error.message}", err=True)
    sys.exit(status)
