"""Processing of one shard, several files at a time. Each file is claimed, transcribed and committed separately.

A worker that was declared dead may still process a shard that another worker has begun again. The number of the run
separates them. Only the latest run claims files and ends the shard. An earlier run may finish its files in progress.
The first to commit a file wins.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from itertools import chain, repeat

import structlog

from batchscribe.audio.decoder import DECODER
from batchscribe.cost import Cost, CostMeter, current_meter, measure_cost
from batchscribe.database.checkpoint_rows import last_fruitful_attempt, look_at_start
from batchscribe.database.connect import DATABASE_TROUBLE, RETRY_SEC, DatabaseError, cause_of
from batchscribe.database.file_rows import begin_write, claim, end_write, get_file, open_files, requeue
from batchscribe.database.job_counters import add_lost_cost, add_shard_counters
from batchscribe.database.job_rows import is_complete, lock_job
from batchscribe.database.shard_rows import begin_shard, end_shard, is_latest_run
from batchscribe.errors import (
    ConditionalWriteUnsupported,
    CredentialsAwaited,
    CredentialsExpired,
    EngineNotAvailable,
    FileCrashedWorker,
    InternalError,
    MachineTrouble,
    ShardTaken,
    StorageUnavailable,
    WorkInterrupted,
)
from batchscribe.jobs.model import File, Outcome, WrittenTranscript
from batchscribe.metrics import RETRIES, Retry, Stage, count_file, stage
from batchscribe.speakers.speaker_process import SPEAKERS
from batchscribe.stages.file_trace import end_file_trace, trace_file
from batchscribe.stages.finish import finish_task
from batchscribe.stages.job_context import about_file
from batchscribe.stages.settle import record_outcome, settle_shard
from batchscribe.stages.shard_context import ShardContext
from batchscribe.stages.shortage import shortage_in
from batchscribe.stages.transcribe_file import outcome_if_written, transcribe_file
from batchscribe.tracing.spans import span
from batchscribe.wire.choices import FileState

log = structlog.get_logger()

#: Pauses between attempts at a file whose storage does not answer.
PAUSES_SEC = (1.0, 4.0, 16.0, 60.0)
#: After this many deaths of workers, a file is a suspect. A process works on one suspect at a time.
DEATHS_TO_SUSPECT = 2
#: Errors of a file that concern its shard or the whole job.
NOT_THE_FILES = (
    MachineTrouble,
    WorkInterrupted,
    EngineNotAvailable,
    ConditionalWriteUnsupported,
    DatabaseError,
)


def work_shard(shard: ShardContext, number: int) -> None:
    """Process a shard. Raises `WorkInterrupted` if the worker stops or the job ends, and `MachineTrouble` if this
    machine cannot do the work now. Unfinished files then stay unfinished.

    If files have to wait for fresh credentials, it returns early, and another task resumes the shard.
    """
    shard.context.health.check(shard.job.queue_key)
    with shard.records.transaction() as connection:
        run = begin_shard(connection, shard.job.number, number)
    if run is None:
        return
    shard = replace(shard, run=run)
    try:
        while not _work_or_wait(shard, number):
            shard = replace(shard, expired=[])
    finally:
        settle_shard(shard.job, number, run, shard.records, partial(outcome_if_written, context=shard.context))


def _work_or_wait(shard: ShardContext, number: int) -> bool:
    """Process the open files. Returns False if files with expired credentials can be retried at once."""
    try:
        _work_open_files(shard, number)
    except CredentialsAwaited as awaited:
        return shard.context.keys.wait(number, awaited.version)
    return True


def _work_open_files(shard: ShardContext, number: int) -> None:
    while files := _list_open_files(shard, number):  # repeated: an earlier run may have requeued files
        suspects = [file for file in files if file.attempt >= DEATHS_TO_SUSPECT]
        _work_all(shard, [file for file in files if file not in suspects])
        for suspect in suspects:  # one at a time, so a harmful file affects no other suspect
            with shard.slots.for_suspects:
                _work_all(shard, [suspect])
    _close(shard, number)


def _list_open_files(shard: ShardContext, number: int) -> list[File]:
    """Return the files without a final state. Raises `ShardTaken` if another worker has begun the shard."""
    with shard.records.transaction() as connection:
        if not is_latest_run(connection, shard.job.number, number, shard.run):
            raise ShardTaken("Another worker has started this shard.")
        return open_files(connection, shard.job.number, number)


def _work_all(shard: ShardContext, files: list[File]) -> None:
    error = _work_in_threads(shard, files)
    if error is not None:
        try:
            raise error
        finally:
            del error  # avoids a reference cycle with this frame, which would keep the job's credentials


def _work_in_threads(shard: ShardContext, files: list[File]) -> BaseException | None:
    """Process files in threads. A thread starts when the previous file has its slot, so only one waits for a slot.

    Returns as `_wait`. The futures stay in this frame: they hold the error, so they must not be part of its traceback.
    """
    work: dict[Future[None], File] = {}
    with ThreadPoolExecutor(max(1, len(files)), thread_name_prefix="file-") as threads:
        for file in files:
            begun = threading.Event()
            future = threads.submit(copy_context().run, _run_in_thread, shard, file, begun)
            work[future] = file
            future.add_done_callback(partial(_set, begun))  # it may end without a slot
            begun.wait()
            if future.done() and _postponing(future):
                break
        return _wait(shard, work)


def _set(event: threading.Event, _: Future[None]) -> None:
    event.set()


def _wait(shard: ShardContext, work: dict[Future[None], File]) -> BaseException | None:
    """Wait for all files. A file with an internal error is marked as failed, and stops no other file.

    Returns an error that concerns more than one file, if there is one.
    """
    postponed: BaseException | None = None
    for future in as_completed(work):
        error = future.exception()
        if postponing := _postponing(future):
            postponed = postponing
        elif error is not None:
            log.error("file.mistake", **_names(shard, work[future]), exc_info=error)
            _fail_mistaken(shard, work[future])
    return postponed


def _postponing(future: Future[None]) -> BaseException | None:
    """Return an error that concerns more than this file: the shard is retried, or the job has failed."""
    raised = future.exception()
    error = shortage_in(raised) or raised
    return error if isinstance(error, NOT_THE_FILES) else None


def _run_in_thread(shard: ShardContext, file: File, begun: threading.Event) -> None:
    with about_file(file):
        work_file(shard, file, begun)


def work_file(shard: ShardContext, file: File, begun: threading.Event) -> None:
    """Try one file until it has a final state or another worker has it. Sets `begun` when it has its slot."""
    if file.attempt:
        RETRIES.labels(Retry.FILE).inc()
    with measure_cost() as meter, trace_file(shard.job, file):
        _work_file(shard, file, begun, meter)


def _work_file(shard: ShardContext, file: File, begun: threading.Event, meter: CostMeter) -> None:
    watch, job = shard.context.watch, shard.job.number
    for pause_sec in pauses(PAUSES_SEC):
        with shard.slots.take_one(shard.job.tenant, job, shard.check_start):
            begun.set()
            claimed = _claim(shard, file)
            if claimed is None:
                return
            with span("attempt", {"batchscribe.attempt": claimed.attempt}):
                outcome = _attempt(shard, claimed)
        if outcome is not None:
            _commit(shard, claimed, replace(outcome, cost=meter.take()))
            return
        watch.pause(pause_sec, job)  # storage may be restarting
        file = claimed


def pauses(first: Sequence[float]) -> Iterator[float]:
    """Yield these pauses, then the last one forever."""
    return chain(first, repeat(first[-1]))


def _claim(shard: ShardContext, file: File) -> File | None:
    with shard.records.transaction() as connection:
        if not claim(connection, file, run=shard.run):
            return None
        version, has_checkpoint = look_at_start(connection, file)
        fruitful = last_fruitful_attempt(connection, file) if has_checkpoint else 0
        # A retry needs the digests that the attempt before recorded, to recognize what that has written.
        claimed = get_file(connection, file.job_number, file.seq) if file.attempt else _first_attempt(file)
    shard.context.keys.take(version)
    return replace(claimed, has_checkpoint=has_checkpoint, fruitful_attempt=fruitful)


def _first_attempt(file: File) -> File:
    return replace(file, state=FileState.PROCESSING, attempt=1)


def _attempt(shard: ShardContext, file: File) -> Outcome | None:
    """Process a file once. Returns None if another attempt is worthwhile."""
    version = shard.context.keys.version
    try:
        if _count_fruitless(file, file.fruitful_attempt) >= shard.max_deaths:
            return _crashed_worker(shard)
        return transcribe_file(file, shard.job, shard.context, partial(_begin_write, shard))
    except (WorkInterrupted, DatabaseError):
        _hand_back(shard, file)
        raise
    except MachineTrouble as trouble:
        shard.context.health.report(trouble)
        _hand_back(shard, file)
        raise
    except MemoryError as error:  # a file may cause this, so this attempt counts
        if want := shortage_in(error):
            shard.context.health.report(want)
        raise
    except CredentialsExpired as error:
        if not shard.context.keys.may_wait():
            return Outcome.failed(error)
        shard.expired.append(version)
        with shard.records.transaction() as connection:
            end_write(connection, file)
            requeue(connection, file)
        _add_lost_cost(shard, file, current_meter().take())
        raise CredentialsAwaited(version) from error
    except StorageUnavailable as error:
        log.warning("file.storage_unavailable", **_names(shard, file), attempt=file.attempt)
        if 1 + _count_fruitless(file, shard.context.checkpoints.last_fruitful_attempt(file)) >= shard.max_tries:
            return Outcome.failed(error)
        RETRIES.labels(Retry.STORAGE).inc()
        return None


def _count_fruitless(file: File, fruitful_attempt: int) -> int:
    """Return the number of attempts since the last one that came further than those before, without this attempt.

    A recording of ten hours may lose its worker, or its storage, more than once without being the cause.
    """
    return file.attempt - 1 - fruitful_attempt


def _begin_write(shard: ShardContext, file: File, transcript: WrittenTranscript) -> None:
    """Record that the transcript may be written from now on, for a cancellation. Raises `WorkInterrupted`.

    Waits while the database is unavailable: the transcript is done, and would have to be produced again.
    """
    while (may_write := _try_begin_write(shard, file, transcript)) is None:
        if shard.context.watch.wait(RETRY_SEC):
            raise WorkInterrupted("The worker stops.")
    if not may_write:
        raise WorkInterrupted("The job has ended, or another worker has the file.")


def _try_begin_write(shard: ShardContext, file: File, transcript: WrittenTranscript) -> bool | None:
    """Return whether the transcript may be written; None if the database is unavailable."""
    try:
        with shard.records.transaction() as connection:
            return begin_write(connection, file, transcript)
    except DATABASE_TROUBLE as error:
        log.warning("database.trouble", **_names(shard, file), error=cause_of(error))
        return None


def _crashed_worker(shard: ShardContext) -> Outcome:
    """Return the outcome of a file that killed its workers. Raises `MachineTrouble` if the machine fails a trial.

    Then the machine may be the cause, for example because it has run out of memory.
    """
    for part in (DECODER, shard.engine, *((SPEAKERS,) if shard.job.config.diarization else ())):
        shard.context.health.confirm(part)
    return Outcome.failed(FileCrashedWorker(f"The worker died {shard.max_deaths} times while it processed this file."))


def _hand_back(shard: ShardContext, file: File) -> None:
    """Requeue a file, and add what this attempt has cost."""
    with shard.records.transaction() as connection:
        requeue(connection, file)
    _add_lost_cost(shard, file, current_meter().take())
    if not shard.context.watch.is_live(shard.job.number):
        end_file_trace(shard.job, file, Outcome(FileState.CANCELED))


def _add_lost_cost(shard: ShardContext, file: File, cost: Cost) -> None:
    if cost != Cost() and file.shard is not None:
        with shard.records.transaction() as connection:  # one of its own: the job is locked before its files
            add_lost_cost(connection, shard.job, file.shard, cost)


def _commit(shard: ShardContext, file: File, outcome: Outcome) -> None:
    """Commit an outcome, which changes nothing if another worker has the file or the job has ended.

    Waits while the database is unavailable.
    """
    while (won := _try_commit(shard, file, outcome)) is None:
        if shard.context.watch.wait(RETRY_SEC):
            raise WorkInterrupted("The worker stops.")
    if won:
        count_file(outcome.state, outcome.duration_sec, outcome.error_code)
        end_file_trace(shard.job, file, outcome)
    else:
        _add_lost_cost(shard, file, outcome.cost)
    log.info("file.done", **_names(shard, file), state=outcome.state, error_code=outcome.error_code, won=won)


def _try_commit(shard: ShardContext, file: File, outcome: Outcome) -> bool | None:
    """Commit in one guarded transaction. Returns whether it changed the file; None if the database is unavailable."""
    try:
        with span("commit"), stage(Stage.COMMIT):
            won = record_outcome(shard.job, file, outcome, shard.records)
    except DATABASE_TROUBLE as error:
        log.warning("database.trouble", **_names(shard, file), error=cause_of(error))
        return None
    return won


def _fail_mistaken(shard: ShardContext, file: File) -> None:
    sentence = "Internal error; the worker's log has the details."
    with shard.records.transaction() as connection:
        is_ours = file.shard is None or is_latest_run(connection, file.job_number, file.shard, shard.run)
        current = get_file(connection, file.job_number, file.seq)
    if is_ours:
        _commit(shard, current, Outcome.failed(InternalError(sentence)))


def _close(shard: ShardContext, number: int) -> None:
    """End the shard, add its counters to the job and enqueue the next stage, in one transaction."""
    job = shard.job
    with shard.records.transaction() as connection:
        lock_job(connection, job.number)
        if end_shard(connection, job.number, number, run=shard.run):
            add_shard_counters(connection, job.number, number)
            if is_complete(connection, job.number):
                shard.records.flow.enqueue(connection, finish_task(job))


def _names(shard: ShardContext, file: File) -> dict[str, str]:
    return {"job_id": shard.job.job_id, "file_id": file.file_id, "tenant": shard.job.tenant}
