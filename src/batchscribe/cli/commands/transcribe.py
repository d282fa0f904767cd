"""`batchscribe transcribe`: transcribe recordings in this process, as one durable job."""

from __future__ import annotations

from dataclasses import replace

import typer

from batchscribe.cli import options, worker_options
from batchscribe.cli.lazy import lazy_imports
from batchscribe.cli.option_groups import with_option_groups
from batchscribe.errors import InvalidRequest, UsageError

with lazy_imports():
    from batchscribe.cli import job_request, local_job, local_preview
    from batchscribe.cli.present import console, job_summary


@with_option_groups
def transcribe(
    job: options.JobOptions,
    working: worker_options.WorkerOptions,
    inputs: options.Inputs,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Transcribe recordings: WAV, MP3, M4A, MP4, FLAC, Ogg, Opus, WebM and AAC.

    The recordings become one durable job. After Ctrl-C or a crash, run the same command again, or
    `batchscribe jobs resume JOB`, to continue where it stopped. Credentials come from the environment, such as
    AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS or AZURE_STORAGE_ACCOUNT.

    Progress goes to standard error, the summary to standard output. Exit status: 0 all files succeeded or were skipped,
    1 some failed or none was in a supported format, 2 invalid command, 130 interrupted.
    """
    settings = working.read_settings()
    layout = job.layout or (options.Layout.ADJACENT if job.output is None else None)
    job = replace(job, inputs=tuple(inputs), layout=layout)
    requests = job_request.build_local_requests(job)
    if not dry_run:
        raise typer.Exit(local_job.run_requests(requests, settings, as_json=as_json))
    try:
        preview = local_preview.preview_requests(requests, settings)
    except InvalidRequest as error:
        raise UsageError(job_request.explain_in_options(error)) from error
    if as_json:
        console.print_json(preview)
    else:
        job_summary.show_dry_run(preview)
