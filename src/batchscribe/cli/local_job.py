"""Jobs of the command line, run or resumed in this process until they end or are interrupted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import typer

from batchscribe.cli.environment_credentials import SET_CREDENTIALS, read_fresh_credentials
from batchscribe.cli.interrupted_jobs import resume_command, serve_command
from batchscribe.cli.local_records import name_home, open_alone
from batchscribe.cli.local_watch import LocalWatch, Pace, WatchWork, find_unfinished, name_watch
from batchscribe.cli.present.console import local_path, print_json, print_json_line
from batchscribe.cli.present.job_report import count_ended, name_interrupted
from batchscribe.cli.present.job_summary import Effort, exit_status, show_report
from batchscribe.cli.present.progress import JobProgress, show_progress
from batchscribe.cli.recorded_jobs import RecordedJobs, report_job
from batchscribe.cli.settled_recordings import SettledRecordings
from batchscribe.cli.work_session import LocalWork, WorkSession, open_session
from batchscribe.database.job_rows import find_unfinished_twin, get_job, get_shown_job
from batchscribe.errors import FreshCredentialsNeeded, OptionNotAvailable, UsageError
from batchscribe.intake.submission import Submission, read_local_requests
from batchscribe.intake.submit import submit
from batchscribe.jobs.model import WATCH_LANE, Job
from batchscribe.jobs.source import SourceKind
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.speakers.speaker_models import NOT_INSTALLED, find_speaker_models
from batchscribe.speech.registry import Choice, choose_engine
from batchscribe.stages.finish import forget_job, forget_tasks
from batchscribe.stages.retry import check_retryable, retry_job
from batchscribe.stages.sealed_credentials import renew_credentials
from batchscribe.storage.access import Access, Credentials
from batchscribe.storage.schemes import connect
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from batchscribe.wire.request import JobRequest
from batchscribe.wire.trace_context import traceparent_of
from batchscribe.wire.uris import FILE_SCHEME, scheme_of
from batchscribe.worker.lane_claim import check_lane

LOOK_SEC = 0.2


def run_requests(requests: Sequence[JobRequest], settings: Settings, *, as_json: bool = False) -> int:
    """Run the requests as one job and return the exit status. Raises `UsageError`."""
    submission = read_local_requests(requests, settings=settings, traceparent=traceparent_of(os.environ))
    _create_output_folder(submission.output)
    return _run_submission(submission, settings, as_json=as_json)


def _create_output_folder(output: Output) -> None:
    if scheme_of(output.uri) != FILE_SCHEME:
        return
    path = local_path(output.uri)
    folder = path.parent if output.layout is OutputLayout.SINGLE else path
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The output folder {folder} cannot be created: {error.strerror}.") from error


def _run_submission(submission: Submission, settings: Settings, *, as_json: bool) -> int:
    """Run a new job, or resume an unfinished one that was requested identically. Return the exit status."""
    connect(Access(settings))  # sends nothing, but reports a wrong endpoint before the job is stored
    with open_alone(settings) as records:
        with records.transaction() as connection:
            twin = find_unfinished_twin(connection, submission.fingerprint)
        if twin is not None:
            return _resume(twin, records, settings, as_json=as_json)
        choice = _choose_engine(submission.engine, submission.config, settings)
        work = LocalWork(submission.lane, choice.spec, diarizes=submission.config.diarization)
        return _work(records, settings, work, lambda: submit(submission, records, settings), as_json=as_json)


def resume_job(job_id: str, settings: Settings, *, as_json: bool = False) -> int:
    """Resume a job, or report one that has ended. Return the job's exit status. Raises `JobNotFound`."""
    with open_alone(settings) as records:
        with records.transaction() as connection:
            job = get_shown_job(connection, job_id)
        if job.is_final:
            typer.echo(f"{job_id} has already ended.", err=True)
            return _report_end(job, records, as_json=as_json)
        _check_local(job, settings)
        return _resume(job, records, settings, as_json=as_json)


def retry_local_job(job_id: str, settings: Settings, *, as_json: bool = False) -> int:
    """Retry the failed files of a job of the command line in this process, and return the job's exit status.

    Raises `JobNotFound`, `JobNotRetryable`, `UsageError`.
    """
    with open_alone(settings) as records:
        with records.transaction() as connection:
            job = get_shown_job(connection, job_id)
            if not job.is_final:
                raise UsageError(
                    f"{job_id} has not ended yet, so nothing can be retried. Resume it: "
                    f"{resume_command(job_id, settings.data_dir)}"
                )
            check_retryable(connection, job)
        spec = _choose_engine(job.engine, job.config, settings, of=job).spec
        fresh = read_fresh_credentials(job, os.environ)
        work = LocalWork(job.lane, spec, job.config.diarization)
        try:
            return _work(records, settings, work, lambda: _reopen(job, records, settings, fresh), as_json=as_json)
        except FreshCredentialsNeeded as error:
            raise FreshCredentialsNeeded(f"{error.message.partition(';')[0]}; {SET_CREDENTIALS}") from error


def _reopen(job: Job, records: Records, settings: Settings, fresh: Mapping[str, Credentials]) -> Job:
    opened = retry_job(job, records, silent_sec=settings.silent_sec, credentials=fresh, works_here=True).job
    n_failed = job.summary.failed
    typer.echo(f"Retrying {job.job_id}: {n_failed} {'file' if n_failed == 1 else 'files'} failed.", err=True)
    return opened


def _check_local(job: Job, settings: Settings) -> None:
    if not job.is_local:
        raise UsageError(
            f"{job.job_id} was submitted to a server, which continues it when it runs again: "
            f"{serve_command(settings.data_dir)}"
        )


def run_watch(requests: Sequence[JobRequest], settings: Settings, pace: Pace, *, as_json: bool = False) -> int:
    """Watch the one prefix of the requests until a signal arrives, and return the exit status. Raises `UsageError`."""
    submission = read_local_requests(requests, settings=settings, traceparent=traceparent_of(os.environ))
    (source,) = submission.sources
    if source.kind is not SourceKind.PREFIX:
        raise UsageError("Only a folder, a prefix or a glob can be watched; use `batchscribe transcribe` for a file.")
    _create_output_folder(submission.output)
    access = Access(settings, file_roots=submission.file_roots, credentials=submission.input_credentials)
    recordings = SettledRecordings(
        source, connect(access), settle_sec=pace.settle_sec, input_formats=settings.input_formats
    )
    with open_alone(settings) as records:
        name = name_watch(submission)
        submission = replace(submission, lane=f"{WATCH_LANE}{name[:20]}")
        with records.transaction() as connection:  # before anything is changed; the worker claims the lane
            check_lane(connection, submission.lane, home=name_home(settings), silent_sec=settings.silent_sec)
        spec = _choose_engine(submission.engine, submission.config, settings).spec
        local_work = LocalWork(submission.lane, spec, submission.config.diarization)

        def watch_in(session: WorkSession, status: int = 0) -> LocalWatch:
            follow = partial(_follow, session, settings, as_json=as_json)
            work = WatchWork(records, settings, session.end, session.check_worker, follow)
            return LocalWatch(name, submission, work, recordings, pace, status=status)

        status, left = 0, find_unfinished(name, records)
        has_work = left is not None and not left.is_final  # it may have ended just before its watch did
        if left is not None and has_work and (left_work := _prepare_left(left, records, settings)) != local_work:
            with open_session(records, settings, left_work) as session:
                watch = watch_in(session)
                watch.resume(left)
                if session.end.has_come:
                    return session.exit_status
            status, left = watch.status, None
        with open_session(records, settings, local_work) as session:
            watch = watch_in(session, status)
            if left is not None:
                watch.resume(left)
            return watch.run()


def _prepare_left(left: Job, records: Records, settings: Settings) -> LocalWork:
    """Give fresh credentials to the job of an earlier watch, and return what it needs: it keeps its model."""
    if fresh := read_fresh_credentials(left, os.environ):
        renew_credentials(records, left, fresh)
    choice = _choose_engine(left.engine, left.config, settings, of=left, warns=False)
    return LocalWork(left.lane, choice.spec, left.config.diarization)


def _follow(session: WorkSession, settings: Settings, job: Job, *, as_json: bool) -> tuple[Job, int]:
    """Work on a job whose lane stays in use. Return it as it is then, with its exit status."""
    job = _watch_job(session, job)
    if not job.is_final:
        _report_interruption(job, settings)
        return job, session.exit_status
    session.worker.settle(job)
    with session.records.transaction() as connection:
        job = get_job(connection, job.job_id)
    forget_tasks(job, session.records)
    if not as_json:
        return job, _report_end(job, session.records)
    recorded = RecordedJobs(session.records, settings)
    for file in recorded.files(job.job_id):
        print_json_line({"file": file})
    print_json_line({"job": job.answer().body()})
    return job, exit_status(recorded.report(job.job_id))


def _choose_engine(
    engine: str, config: Config, settings: Settings, *, of: Job | None = None, warns: bool = True
) -> Choice:
    """Choose an engine and print the warnings. A job that is resumed keeps its model.

    Raises `EngineNotAvailable`, `InvalidRequest`.
    """
    if config.diarization and find_speaker_models(settings) is None:
        raise OptionNotAvailable(NOT_INSTALLED, field="config.diarization")
    choice = choose_engine(
        engine,
        config.language,
        settings,
        detect=config.detection_mode is not None,
        vocabulary=config.vocabulary is not None and bool(config.vocabulary.phrases),
        model=of.model if of else None,
        revision=of.model_revision if of else None,
    )
    for warning in choice.warnings if warns else ():
        typer.echo(f"Warning: {warning}", err=True)
    return choice


def _resume(job: Job, records: Records, settings: Settings, *, as_json: bool = False) -> int:
    spec = _choose_engine(job.engine, job.config, settings, of=job).spec
    typer.echo(f"Resuming {job.job_id}: {_describe_done(job)}.", err=True)
    fresh = read_fresh_credentials(job, os.environ)
    if fresh:
        renew_credentials(records, job, fresh)
    work = LocalWork(job.lane, spec, job.config.diarization)
    return _work(records, settings, work, lambda: job, as_json=as_json)


def _work(
    records: Records, settings: Settings, work: LocalWork, start: Callable[[], Job], *, as_json: bool = False
) -> int:
    """Work on the job that `start` returns, and return the exit status.

    `start` is called once the worker is ready, because a job can only be submitted to existing queues.
    """
    started_at = time.monotonic()
    with open_session(records, settings, work) as session:
        first = start()
        job = _watch_job(session, first)
        if not job.is_final:
            _report_interruption(job, settings, as_json=as_json)
    if not job.is_final:
        return session.exit_status
    session.worker.settle(job)  # it may have been canceled while transcripts were being written
    with records.transaction() as connection:
        job = get_job(connection, job.job_id)
    forget_job(job, records)
    total_sec = job.summary.audio_sec
    effort = Effort(time.monotonic() - started_at, total_sec - first.summary.audio_sec, total_sec)
    return _report_end(job, records, effort=effort, as_json=as_json)


def _watch_job(session: WorkSession, job: Job) -> Job:
    """Show the job's progress until it ends or a signal arrives, and return the job as it is then.

    Raises as `WorkSession.check_worker` does.
    """
    with show_progress() as display:
        while not job.is_final and not session.end.has_come:
            session.check_worker()
            time.sleep(LOOK_SEC)
            with session.records.transaction() as connection:
                job = get_job(connection, job.job_id)
            display.show(_measure(job, session))
    return job


def _measure(job: Job, session: WorkSession) -> JobProgress:
    """Include the audio of files in progress; otherwise a recording of three hours would show no progress."""
    in_hand_sec = 0.0 if job.is_final else session.worker.in_hand.audio_sec(job.number)
    return JobProgress(job.answer(), job.summary.audio_sec + in_hand_sec, is_listed=job.cursor.listed)


def _report_interruption(job: Job, settings: Settings, *, as_json: bool = False) -> None:
    command = resume_command(job.job_id, settings.data_dir)
    if as_json:
        print_json(job.answer().body() | name_interrupted({job.job_id: command}))
    typer.echo(f"Interrupted: {_describe_done(job)}. Repeat the command to resume the job, or run:", err=True)
    typer.echo(f"  {command}", err=True)


def _report_end(job: Job, records: Records, *, effort: Effort | None = None, as_json: bool = False) -> int:
    with records.transaction() as connection:
        report = report_job(connection, job)
    if as_json:
        print_json(report.job.body())
    else:
        show_report(report, effort=effort)
    return exit_status(report)


def _describe_done(job: Job) -> str:
    if not job.summary.total_files:
        return "no file is done"
    at_least = "" if job.cursor.listed else "at least "
    return f"{count_ended(job.summary.answer())} of {at_least}{job.summary.total_files} files are done"
