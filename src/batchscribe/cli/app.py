"""The command tree, and the conversion of errors to messages and exit statuses."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from inspect import getdoc
from typing import Annotated

import typer

from batchscribe import __version__
from batchscribe.cli.commands.changed_jobs import cancel, delete, resume, retry
from batchscribe.cli.commands.deliveries import deliveries_app
from batchscribe.cli.commands.doctor import doctor
from batchscribe.cli.commands.jobs import list_files, list_jobs, show_job, wait, watch_job
from batchscribe.cli.commands.keys import keys_app
from batchscribe.cli.commands.models import models_app
from batchscribe.cli.commands.search import search
from batchscribe.cli.commands.server import migrate, serve, worker
from batchscribe.cli.commands.submitted_jobs import submit
from batchscribe.cli.commands.transcribe import transcribe
from batchscribe.cli.commands.transcripts import transcripts_app
from batchscribe.cli.commands.vocabularies import vocabularies_app
from batchscribe.cli.commands.watch import watch
from batchscribe.cli.commands.webhooks import webhooks_app
from batchscribe.cli.lazy import lazy_imports
from batchscribe.errors import BatchscribeError, UsageError

with lazy_imports():
    from batchscribe.cli.present import console
    from batchscribe.stages import shortage

EXIT_FAILED, EXIT_USAGE = 1, 2
JOB_COMMANDS: dict[str, Callable[..., None]] = {
    "submit": submit,
    "list": list_jobs,
    "show": show_job,
    "files": list_files,
    "wait": wait,
    "watch": watch_job,
    "resume": resume,
    "retry": retry,
    "cancel": cancel,
    "delete": delete,
}

app = typer.Typer(
    name="batchscribe",
    help="Transcribe recordings in batches, on the command line or as a service.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (transcribe, watch, search, serve, worker, migrate, doctor):
    app.command()(command)
jobs_app = typer.Typer(help="Submit, show, follow and change jobs.", no_args_is_help=True)
for name, job_command in JOB_COMMANDS.items():
    jobs_app.command(name)(job_command)
app.add_typer(jobs_app, name="jobs")
app.add_typer(deliveries_app, name="deliveries")
app.add_typer(transcripts_app, name="transcripts")
app.add_typer(keys_app, name="keys")
app.add_typer(models_app, name="models")
app.add_typer(vocabularies_app, name="vocabularies")
app.add_typer(webhooks_app, name="webhooks")


def _unwrap_help(group: typer.Typer) -> None:
    """Let the help of all commands wrap at the width of the terminal: Typer keeps the line breaks of docstrings."""
    for command in group.registered_commands:
        paragraphs = (getdoc(command.callback) or "").split("\n\n")
        command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    for below in group.registered_groups:
        if below.typer_instance is not None:
            _unwrap_help(below.typer_instance)


_unwrap_help(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"batchscribe {__version__}")
        raise typer.Exit


@app.callback()
def read_common_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What every command understands."""


def main() -> None:
    """Run the command of this process. Usage errors end with status 2, other errors of batchscribe with 1."""
    _write_any_character()
    try:
        app(prog_name="batchscribe")
    except UsageError as error:
        _exit_with(error, EXIT_USAGE)
    except BatchscribeError as error:
        _exit_with(error, EXIT_FAILED)
    except UnicodeEncodeError as error:
        _exit_with(_explain_bytes(error), EXIT_USAGE)
    except (MemoryError, OSError, RuntimeError) as error:
        explained = _explain_system_error(error)
        if explained is None:
            raise
        typer.echo(f"Error: {explained.message}", err=True)
        # A clean exit may wait for threads that the system refused to start. Stored jobs survive this exit.
        os._exit(EXIT_FAILED)


def _write_any_character() -> None:
    """Show `?` for characters that the terminal's encoding lacks, or that are not text."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _explain_bytes(error: UnicodeEncodeError) -> UsageError:
    """Return an error about an argument or setting that is not text. Raises the error if that is not the cause."""
    settings = [name for name, value in os.environ.items() if name.startswith("BATCHSCRIBE_") and error.object in value]
    if not settings and not any(error.object in argument for argument in sys.argv[1:]):
        raise error
    found = settings[0] if settings else error.object
    return UsageError(f"{found} is not text in UTF-8; only paths may contain other bytes.")


def _explain_system_error(error: Exception) -> BatchscribeError | None:
    """Return the machine's shortage as an error; None for a bug in batchscribe."""
    if lacking := shortage.shortage_in(error):
        return lacking
    if not isinstance(error, OSError) or error.errno is None:
        return None
    place = f" {error.filename}" if error.filename else ""
    return BatchscribeError(
        f"The operating system denied access to{place or ' a resource'}: {error.strerror}. Run `batchscribe doctor`."
    )


def _exit_with(error: BatchscribeError, status: int) -> None:
    typer.echo(f"Error: {_printable(error.message)}", err=True)
    sys.exit(status)


def _printable(message: str) -> str:
    """Return the message, perhaps of several lines, without the escape sequences that a name in it may contain."""
    return message if message.isprintable() else "\n".join(map(console.format_text, message.split("\n")))
