"""Run or resume a job of the command line, and tell how it ended."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable

import typer

from batchscribe.cli.credentials import credentials_of_environment, needs_credentials
from batchscribe.cli.progress import finished
from batchscribe.cli.records import opened_alone
from batchscribe.cli.session import working
from batchscribe.cli.summary import Effort, exit_status, show_summary
from batchscribe.database.job import get_job, unfinished_twin
from batchscribe.intake.submission import Submission
from batchscribe.intake.submit import submit
from batchscribe.jobs.model import Job
from batchscribe.settings import Settings
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.registry import Choice, choose_engine
from batchscribe.storage.access import Access
from batchscribe.storage.routed import connect
from batchscribe.wire.config import Config
from batchscribe.work.credentials import SIDES, renew_credentials
from batchscribe.work.finish import forget_job
from batchscribe.work.records import Records


def run_submission(submission: Submission, settings: Settings) -> int:
    """The exit status. A job that was asked for with the same words and is unfinished is gone on with."""
    connect(Access.from_settings(settings))  # no request yet; a wrong endpoint is told before the job is on record
    choice = _choose(submission.engine, submission.config, settings)
    with opened_alone(settings) as records:
        with records.transaction() as connection:
            twin = unfinished_twin(connection, submission.fingerprint)
        if twin is not None:
            return _resume(twin, records, settings, choice.spec)
        return _work(records, settings, submission.lane, choice.spec, lambda: submit(submission, records, settings))


def resume_job(job_id: str, settings: Settings) -> int:
    """The exit status; that of the job when it has ended already. Raises `JobNotFound`."""
    with opened_alone(settings) as records:
        with records.transaction() as connection:
            job = get_job(connection, job_id)
        if job.is_final:
            typer.echo(f"{job_id} has ended already.", err=True)
            return _tell_end(job, records)
        return _resume(job, records, settings, _choose(job.engine, job.config, settings).spec)


def _resume(job: Job, records: Records, settings: Settings, spec: EngineSpec) -> int:
    typer.echo(f"Going on with {job.job_id}: {_done(job)}.", err=True)
    credentials = credentials_of_environment()
    if credentials is not None and needs_credentials(job.sources, job.output):
        renew_credentials(records, job, dict.fromkeys(SIDES, credentials))
    return _work(records, settings, job.lane, spec, lambda: job)


def _work(records: Records, settings: Settings, lane: str, spec: EngineSpec, begin: Callable[[], Job]) -> int:
    """`begin` is called when this process is ready to work, since a job is submitted to queues that exist."""
    began_at = time.monotonic()
    with working(records, settings, lane=lane, spec=spec) as session:
        first = begin()
        job = session.watch(first)
        if not job.is_final:
            _tell_interruption(job, settings)
    if not job.is_final:
        return session.exit_status
    session.worker.settle(job)  # somebody may have canceled it while transcripts were being written
    with records.transaction() as connection:
        job = get_job(connection, job.job_id)
    forget_job(job, records)
    audio_sec = job.summary.audio_sec - first.summary.audio_sec
    return _tell_end(job, records, effort=Effort(time.monotonic() - began_at, audio_sec))


def _tell_interruption(job: Job, settings: Settings) -> None:
    typer.echo(f"Interrupted: {_done(job)}. The same command goes on, and so does:", err=True)
    command = ["batchscribe", "jobs", "resume", job.job_id, "--data-dir", str(settings.data_dir.absolute())]
    typer.echo(f"  {shlex.join(command)}", err=True)


def _tell_end(job: Job, records: Records, *, effort: Effort | None = None) -> int:
    with records.transaction() as connection:
        show_summary(job, connection, effort=effort)
    return exit_status(job)


def _done(job: Job) -> str:
    if not job.summary.total_files:
        return "no file is done"
    at_least = "" if job.cursor.listed else "at least "
    return f"{finished(job)} of {at_least}{job.summary.total_files} files are done"


def _choose(engine: str, config: Config, settings: Settings) -> Choice:
    """What will be used; its warnings are told. Raises `EngineNotAvailable`, `InvalidRequest`."""
    choice = choose_engine(engine, config.language, settings, detect=config.detection_mode is not None)
    for warning in choice.warnings:
        typer.echo(f"Warning: {warning}", err=True)
    return choice
