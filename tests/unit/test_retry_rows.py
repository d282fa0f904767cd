"""The rows of a job that is retried: nothing is lost or counted twice, whatever its earlier workers still do."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from batchscribe.database.checkpoint_rows import CheckpointPart, add_part
from batchscribe.database.file_rows import (
    begin_write,
    claim,
    commit_outcome,
    find_file,
    get_file,
    open_files,
    page_of_files,
)
from batchscribe.database.job_counters import add_shard_counters
from batchscribe.database.job_rows import begin_job, end_job, get_job, is_complete
from batchscribe.database.segment_rows import search_segments
from batchscribe.database.shard_rows import begin_shard, count_outcome, end_shard, is_latest_run
from batchscribe.database.tables import checkpoint, file, job
from batchscribe.errors import CorruptMedia, JobNotRetryable, WorkInterrupted
from batchscribe.jobs.model import File, Job, Outcome, WrittenTranscript
from batchscribe.jobs.search_query import SearchQuery
from batchscribe.jobs.spoken_segment import SpokenSegment
from batchscribe.queue.tasks import ENUMERATE, FINISH, RETRY, SHARD, Task
from batchscribe.stages import retry
from batchscribe.stages.finish import finish_job
from batchscribe.stages.retry import requeue_failed, retry_job
from batchscribe.stages.settle import record_outcome
from batchscribe.window import Waveform
from batchscribe.wire.choices import FileState, JobState
from tests.jobs_on_record import stored_job
from tests.statements import statements_of
from tests.twins.queue import records_of, task_row

FAILED = Outcome.failed(CorruptMedia("It cannot be decoded."))
SUCCEEDED = Outcome.succeeded(duration_sec=10.0)


class RetriedFiles:
    """A job with one shard of four files, and its row as it was last read."""

    def __init__(self, engine: sa.Engine, *, files: int = 4) -> None:
        self.engine = engine
        self.records = records_of(engine)
        with engine.begin() as connection:
            self.job = stored_job(connection, files=files, secrets=frozenset())
            self.run = begin_shard(connection, self.job.number, 1) or 0

    def claimed(self, seq: int, *, run: int | None = None) -> File:
        with self.engine.begin() as connection:
            found = get_file(connection, self.job.number, seq)
            assert claim(connection, found, run=run or self.run)
            return get_file(connection, self.job.number, seq)

    def commit(self, item: File, outcome: Outcome) -> bool:
        with self.engine.begin() as connection:
            if not commit_outcome(connection, item, outcome):
                return False
            count_outcome(connection, self.job.number, item.shard or 0, outcome)
            return True

    def end(self, state: JobState) -> None:
        with self.engine.begin() as connection:
            assert end_job(connection, self.reread(connection), state)

    def close_shard(self) -> None:
        with self.engine.begin() as connection:
            assert end_shard(connection, self.job.number, 1, run=self.run)
            add_shard_counters(connection, self.job.number, 1)

    def reread(self, connection: sa.Connection) -> Job:
        self.job = get_job(connection, self.job.job_id)
        return self.job

    def retry(self) -> Job:
        self.job = retry_job(self.job, self.records, silent_sec=30).job
        return self.job

    def requeue(self) -> Job:
        requeue_failed(self.job, self.job.retry_number, self.records, check=lambda: None)
        with self.engine.begin() as connection:
            return self.reread(connection)

    def tasks(self) -> set[str]:
        with self.engine.begin() as connection:
            return set(connection.scalars(sa.select(task_row.c.task_id)))

    def files(self) -> list[File]:
        with self.engine.begin() as connection:
            return page_of_files(connection, self.job.number)

    def finish_shard(self, number: int, outcome: Outcome) -> None:
        """Work a shard to its end."""
        with self.engine.begin() as connection:
            run = begin_shard(connection, self.job.number, number)
            assert run is not None
            found = open_files(connection, self.job.number, number)
        for each in found:
            assert self.commit(self.claimed(each.seq, run=run), outcome)
        with self.engine.begin() as connection:
            assert end_shard(connection, self.job.number, number, run=run)
            add_shard_counters(connection, self.job.number, number)


def counted(job: Job) -> tuple[int, int, int, int]:
    summary = job.summary
    return summary.queued, summary.processing, summary.succeeded, summary.failed


def failed_in_the_middle(engine: sa.Engine) -> tuple[RetriedFiles, File]:
    """A job that failed with one file succeeded, one failed, one in progress, which is returned, and one waiting."""
    rows = RetriedFiles(engine)
    rows.commit(rows.claimed(1), SUCCEEDED)
    rows.commit(rows.claimed(2), FAILED)
    held = rows.claimed(3)
    rows.end(JobState.FAILED)
    return rows, held


def test_a_job_that_failed_in_the_middle_continues_with_all_that_has_no_transcript(engine: sa.Engine) -> None:
    rows, _ = failed_in_the_middle(engine)
    assert counted(rows.retry()) == (2, 0, 1, 1)
    job = rows.requeue()
    assert counted(job) == (3, 0, 1, 0)
    assert [(each.seq, each.shard, each.state, each.attempt, each.error_code) for each in rows.files()] == [
        (1, 1, FileState.SUCCEEDED, 1, None),
        (2, 2, FileState.QUEUED, 0, None),
        (3, 2, FileState.QUEUED, 0, None),
        (4, 2, FileState.QUEUED, 0, None),
    ]
    rows.finish_shard(2, SUCCEEDED)
    with engine.begin() as connection:
        assert counted(rows.reread(connection)) == (0, 0, 4, 0)
        assert is_complete(connection, rows.job.number)
    assert rows.job.summary.audio_sec == 40


def test_an_earlier_worker_can_neither_commit_nor_claim_nor_write(engine: sa.Engine) -> None:
    rows, held = failed_in_the_middle(engine)
    waiting = rows.files()[3]
    rows.retry()
    for _ in range(2):
        with engine.begin() as connection:
            assert not commit_outcome(connection, held, SUCCEEDED)
            assert not commit_outcome(connection, held, FAILED)
            assert not begin_write(connection, held, WrittenTranscript(1.0, (), ("digest",)))
            assert not add_part(connection, held, CheckpointPart(1, 1, "i", "k", b"s"))
            assert not claim(connection, waiting, run=rows.run)
            assert not is_latest_run(connection, rows.job.number, 1, rows.run)
            assert begin_shard(connection, rows.job.number, 1) is None
        rows.requeue()
    again = rows.claimed(3, run=_begun(rows, 2))
    assert again.attempt == held.attempt  # an attempt of the same number, in another shard
    assert not rows.commit(held, FAILED)
    assert rows.commit(again, SUCCEEDED)


def _begun(rows: RetriedFiles, number: int) -> int:
    with rows.engine.begin() as connection:
        return begin_shard(connection, rows.job.number, number) or 0


def test_a_task_of_the_first_end_does_not_end_the_retried_job(engine: sa.Engine) -> None:
    rows = RetriedFiles(engine, files=1)
    rows.commit(rows.claimed(1), FAILED)
    rows.close_shard()
    before = rows.job
    rows.end(JobState.FAILED)
    rows.retry()
    finish_job(rows.job, 0, rows.records)
    with engine.begin() as connection:
        assert not end_job(connection, before, JobState.FAILED)
        assert rows.reread(connection).state is JobState.PROCESSING
        assert not is_complete(connection, rows.job.number)  # its files are not requeued yet


def test_what_a_transcript_was_written_with_stays_known(engine: sa.Engine) -> None:
    """The storage may have stored it, although its answer was lost."""
    rows = RetriedFiles(engine, files=1)
    held = rows.claimed(1)
    with engine.begin() as connection:
        assert begin_write(connection, held, WrittenTranscript(1.0, ("a warning",), ("digest",)))
    rows.commit(held, FAILED)
    rows.close_shard()
    rows.end(JobState.FAILED)
    rows.retry()
    rows.requeue()
    [found] = rows.files()
    assert found.output_digests == ("digest",)
    assert (found.duration_sec, found.warnings) == (None, ())


def test_while_a_transcript_is_written_the_job_is_not_retried(engine: sa.Engine) -> None:
    rows, held = failed_in_the_middle(engine)
    with engine.begin() as connection:
        connection.execute(sa.update(file).where(file.c.seq == held.seq).values(duration_sec=1.0))
    with pytest.raises(JobNotRetryable, match="still being written"):
        rows.retry()


def test_a_file_without_a_name_for_its_transcript_stays_failed(engine: sa.Engine) -> None:
    rows = RetriedFiles(engine, files=3)
    for seq in (1, 2, 3):
        rows.commit(rows.claimed(seq), FAILED)
    rows.close_shard()
    rows.end(JobState.FAILED)
    with engine.begin() as connection:
        connection.execute(sa.update(file).where(file.c.seq == 2).values(output_uri="", shard=None))
    rows.retry()
    assert counted(rows.requeue()) == (2, 0, 0, 1)
    assert [each.state for each in rows.files()] == [FileState.QUEUED, FileState.FAILED, FileState.QUEUED]


def test_an_interrupted_retry_continues_with_the_next_page(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "PAGE_FILES", 2)
    rows = RetriedFiles(engine, files=5)
    for seq in range(1, 6):
        rows.commit(rows.claimed(seq), FAILED)
    rows.close_shard()
    rows.end(JobState.FAILED)
    rows.retry()

    def stop() -> None:
        raise WorkInterrupted("The worker stops.")

    with pytest.raises(WorkInterrupted):
        requeue_failed(rows.job, 1, rows.records, check=stop)
    with engine.begin() as connection:
        assert connection.scalar(sa.select(job.c.retry_after)) == 2
        assert counted(rows.reread(connection)) == (2, 0, 0, 3)
    rows.finish_shard(2, SUCCEEDED)
    with engine.begin() as connection:
        assert not is_complete(connection, rows.job.number)
    assert counted(rows.requeue()) == (3, 0, 2, 0)
    shards = {Task(SHARD, rows.job.job_id, number).task_id for number in (2, 3, 4)}
    assert shards | {Task(RETRY, rows.job.job_id, 1).task_id} == rows.tasks()
    requeue_failed(rows.job, 1, rows.records, check=stop)  # again, after a crash before its end was recorded
    assert counted(rows.requeue()) == (3, 0, 2, 0)


def test_a_second_retry_has_tasks_of_its_own(engine: sa.Engine) -> None:
    rows = RetriedFiles(engine, files=1)
    rows.commit(rows.claimed(1), FAILED)
    rows.close_shard()
    rows.end(JobState.FAILED)
    for number in (1, 2):
        rows.retry()
        rows.requeue()
        rows.finish_shard(number + 1, FAILED)
        with engine.begin() as connection:
            assert is_complete(connection, rows.reread(connection).number)
        finish_job(rows.job, number, rows.records)
        with engine.begin() as connection:
            assert rows.reread(connection).state is JobState.FAILED
    ids = {Task(FINISH, "job_1", number).task_id for number in (0, 1, 2)}
    ids |= {Task(RETRY, "job_1", number).task_id for number in (1, 2)}
    ids |= {Task(ENUMERATE, "job_1", 5, again=number).task_id for number in (0, 1, 2)}
    assert len(ids) == 8


def test_a_stale_task_cannot_open_an_ended_job_again(engine: sa.Engine) -> None:
    rows, _ = failed_in_the_middle(engine)
    with engine.begin() as connection:
        assert not begin_job(connection, rows.job)


def test_checkpoints_of_requeued_files_are_deleted(engine: sa.Engine) -> None:
    rows, held = failed_in_the_middle(engine)
    rows.retry()
    part = {"job": rows.job.number, "seq": held.seq, "attempt": 1, "part": 1}
    sealed = {"n_known": 1, "identity": "i", "key_id": "k", "sealed": b"s"}
    with engine.begin() as connection:
        connection.execute(sa.insert(checkpoint).values({**part, **sealed}))
    rows.requeue()
    with engine.begin() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(checkpoint)) == 0
        assert find_file(connection, rows.job.number, held.seq) == replace(
            held, shard=2, state=FileState.QUEUED, attempt=0
        )


def test_the_text_of_a_transcript_that_a_retry_finds_in_storage_is_found(engine: sa.Engine) -> None:
    """The write arrived, but its answer was lost, so the file failed; the retry writes nothing."""
    rows = RetriedFiles(engine, files=1)
    held = rows.claimed(1)
    spoken = (SpokenSegment(0.0, 1.0, 0, None, "late refund"),)
    with engine.begin() as connection:
        assert begin_write(connection, held, WrittenTranscript(10.0, (), ("digest",), spoken))
    assert record_outcome(rows.job, held, FAILED, rows.records)
    with engine.begin() as connection:
        assert found_in(connection) == []
    rows.close_shard()
    rows.end(JobState.FAILED)
    rows.retry()
    rows.requeue()
    [again] = rows.files()
    assert again.output_digests == ("digest",)
    rows.finish_shard(again.shard or 0, SUCCEEDED)
    with engine.begin() as connection:
        assert found_in(connection) == ["late refund"]


def found_in(connection: sa.Connection) -> list[str]:
    found = search_segments(connection, "default", SearchQuery.parse("refund"), limit=5).found
    return [each.segment.text for each in found]


def test_a_first_attempt_deletes_no_text(engine: sa.Engine) -> None:
    """It would cost every file a statement, also without search."""
    rows = RetriedFiles(engine, files=1)
    held = rows.claimed(1)
    transcript = WrittenTranscript(1.0, (), ("digest",), waveform=Waveform(0.02, (b"\x01\x02",)))
    with statements_of(engine) as run:
        with engine.begin() as connection:
            assert begin_write(connection, held, transcript)
        assert record_outcome(rows.job, held, Outcome.succeeded(duration_sec=1.0), rows.records)
    assert [statement.split()[0] for statement in run] == ["UPDATE", "INSERT", "UPDATE", "UPDATE", "SELECT"]
