"""`batchscribe transcribe`: transcribe recordings in this process, as one durable job."""

from __future__ import annotations

from dataclasses import replace

import typer

from batchscribe.cli import options, worker_options
from batchscribe.cli.lazy import lazy_imports

with lazy_imports():
    from batchscribe.cli import job_request, local_job


@options.with_option_groups
def transcribe(
    job: options.JobOptions,
    working: worker_options.WorkerOptions,
    inputs: options.Inputs,
) -> None:
    """Transcribe recordings: WAV, MP3, M4A, MP4, FLAC, Ogg, Opus, WebM and AAC.

    The work is a durable job. After Ctrl-C or a crash, run the same command again, or `batchscribe jobs resume JOB`, to
    continue where it stopped. Credentials come from the environment, such as AWS_ACCESS_KEY_ID,
    GOOGLE_APPLICATION_CREDENTIALS or AZURE_STORAGE_ACCOUNT.

    Progress goes to standard error, the summary to standard output. Exit status: 0 all files succeeded or were skipped,
    1 some failed or none was in a supported format, 2 invalid command, 130 interrupted.
    """
    settings = working.read_settings()
    layout = job.layout or (options.Layout.ADJACENT if job.output is None else None)
    job = replace(job, inputs=tuple(inputs), layout=layout)
    raise typer.Exit(local_job.run_requests(job_request.build_local_requests(job), settings))
