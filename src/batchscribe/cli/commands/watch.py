"""`batchscribe watch`: transcribe new recordings in a folder or bucket, as they arrive."""

from __future__ import annotations

from dataclasses import replace

import typer

from batchscribe.cli import options, worker_options
from batchscribe.cli.lazy import lazy_imports
from batchscribe.cli.option_groups import with_option_groups

with lazy_imports():
    from batchscribe.cli import job_request, local_job, local_watch


@with_option_groups
def watch(
    job: options.JobOptions,
    working: worker_options.WorkerOptions,
    folder: options.Watched,
    every: options.EverySec = None,
    settle: options.SettleSec = 30.0,
    once: options.Once = False,
    as_json: options.JsonLines = False,
) -> None:
    """Watch a folder or bucket, and transcribe each recording once it is complete.

    Recordings with known content, such as renamed ones, are not transcribed again. If the content of a recording is
    replaced, so is its transcript. After Ctrl-C or a crash, run the same command again to continue.

    Exit status: 0 with --once if no file failed, 1 if some failed, 2 invalid command, 130 and 143 ended by a signal.
    """
    settings = working.read_settings()
    layout = job.layout or (options.Layout.ADJACENT if job.output is None else options.Layout.PREFIX)
    job = replace(job, inputs=(folder,), layout=layout)
    pace = local_watch.Pace(every_sec=every, settle_sec=settle, once=once)
    raise typer.Exit(local_job.run_watch(job_request.build_local_requests(job), settings, pace, as_json=as_json))
