"""`batchscribe transcripts`: read a transcript in the terminal."""

from __future__ import annotations

import typer

from batchscribe.cli import options
from batchscribe.cli.lazy import lazy_imports
from batchscribe.errors import UsageError

with lazy_imports():
    from batchscribe.cli import job_source, stored_transcript
    from batchscribe.cli.present import conversation
    from batchscribe.transcript import from_json

transcripts_app = typer.Typer(help="Read a transcript in the terminal.", no_args_is_help=True)


@transcripts_app.callback()
def read_transcripts_options() -> None:
    """Keep `show` a command of its own, although it is the only one."""


@transcripts_app.command("show")
def show_transcript(
    name: options.ShownTranscript,
    file_id: options.FileOfJob = None,
    as_json: options.AsJson = False,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Show a JSON transcript as a conversation: times, speakers or channels, and what was said.

    Credentials for s3://, gs:// and az:// come from the environment, as for `batchscribe transcribe`.
    """
    if stored_transcript.is_job_id(name):
        with job_source.open_job_source(server, data_dir) as source:
            files = source.files(name, state=None, limit=None)
            name = stored_transcript.find_transcript(files, name, file_id)
    elif file_id is not None:
        raise UsageError(f"{name} is not a job's id, so it has no file {file_id!r}; name one transcript.")
    content, document = stored_transcript.read_transcript(name, options.read_settings(data_dir=data_dir))
    if as_json:
        typer.echo(content)  # JSON is always in UTF-8
    else:
        conversation.show_conversation(from_json.transcript_of(document, {}))
