"""The retry of what failed in a job: with a real worker, real storage, and both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from batchscribe.database.worker_rows import insert_worker
from batchscribe.errors import InternalError, JobNotRetryable
from batchscribe.jobs.model import Job
from batchscribe.speech.capability import Capability
from batchscribe.speech.scripted import ScriptedSpec
from batchscribe.stages import retry
from batchscribe.stages.deliver import Webhook
from batchscribe.stages.finish import cancel_served_job, fail_job
from batchscribe.stages.retry import NO_WEBHOOK, RetriedJob, retry_job
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.wire.choices import FileState, JobState
from tests.deliveries import deliveries_of
from tests.integration.command import wait_until
from tests.integration.flow_runner import FlowRunner, running
from tests.integration.pausing_pool import PausingPool
from tests.integration.test_earlier_releases import OLD
from tests.recordings import write_wav
from tests.servers.receiver import in_turn, receiving, says

pytestmark = pytest.mark.usefixtures("database")

LOOPBACK: dict[str, Any] = {"webhook_allow_networks": "127.0.0.0/8", "webhook_allow_http": True}


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[FlowRunner]:
    with running(tmp_path) as started:
        yield started


def lay_out(folder: Path, *names: str, broken: tuple[str, ...] = ()) -> None:
    for number, name in enumerate(names):
        write_wav(folder / "calls" / f"{name}.wav", seed=number)
    for name in broken:
        (folder / "calls").mkdir(exist_ok=True)
        (folder / "calls" / f"{name}.wav").write_bytes(b"RIFF, and then no recording")


def repair(folder: Path, *names: str) -> None:
    for name in names:
        write_wav(folder / "calls" / f"{name}.wav", seed=99)


def retried(runner: FlowRunner, job: Job) -> RetriedJob:
    return retry_job(job, runner.records, silent_sec=30.0)


def states(runner: FlowRunner, job: Job) -> dict[str, FileState]:
    return {Path(file.input_uri).stem: file.state for file in runner.files(job)}


def counters(job: Job) -> tuple[int, int, int, int]:
    summary = job.summary
    return summary.total_files, summary.succeeded, summary.failed, summary.skipped


def test_only_what_failed_is_transcribed_again_and_what_succeeded_stays(runner: FlowRunner, tmp_path: Path) -> None:
    lay_out(tmp_path, "a", "b", broken=("c", "d"))
    (tmp_path / "calls" / "notes.txt").write_text("no recording")
    job = runner.run()
    assert (job.state, counters(job)) == (JobState.PARTIAL, (5, 2, 2, 1))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    repair(tmp_path, "c")
    opened = retried(runner, job)
    assert (opened.job.state, opened.job.completed_at, opened.warnings) == (JobState.PROCESSING, None, ())
    job = runner.wait(job)
    assert (job.state, counters(job)) == (JobState.PARTIAL, (5, 3, 1, 1))
    assert states(runner, job)["c"] is FileState.SUCCEEDED
    assert states(runner, job)["d"] is FileState.FAILED
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    repair(tmp_path, "d")
    retried(runner, job)
    job = runner.wait(job)
    assert (job.state, counters(job)) == (JobState.SUCCEEDED, (5, 4, 0, 1))
    assert sorted(runner.outputs()) == ["a.json", "b.json", "c.json", "d.json"]


def test_a_file_that_fails_again_has_its_new_error(runner: FlowRunner, tmp_path: Path) -> None:
    lay_out(tmp_path, "a", broken=("b",))
    job = runner.run()
    (tmp_path / "calls" / "b.wav").unlink()
    retried(runner, job)
    job = runner.wait(job)
    assert counters(job) == (2, 1, 1, 0)
    assert [file.error_code for file in runner.files(job)] == [None, "OBJECT_NOT_FOUND"]


def test_a_job_that_failed_entirely_can_be_retried(runner: FlowRunner, tmp_path: Path) -> None:
    lay_out(tmp_path, broken=("a", "b"))
    job = runner.run()
    assert (job.state, job.error_code) == (JobState.FAILED, "ALL_FILES_FAILED")
    repair(tmp_path, "a", "b")
    opened = retried(runner, job)
    assert opened.job.error_code is None
    job = runner.wait(job)
    assert (job.state, counters(job), job.error_code) == (JobState.SUCCEEDED, (2, 2, 0, 0), None)


def test_many_files_are_requeued_page_by_page(
    runner: FlowRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "PAGE_FILES", 3)
    names = tuple(f"{number:02}" for number in range(10))
    lay_out(tmp_path, "good", broken=names)
    job = runner.run()
    repair(tmp_path, *names)
    retried(runner, job)
    job = runner.wait(job)
    assert (job.state, counters(job)) == (JobState.SUCCEEDED, (11, 11, 0, 0))


def test_a_listing_that_failed_continues_where_it_was(runner: FlowRunner, tmp_path: Path) -> None:
    lay_out(tmp_path, "a", "b")
    job = runner.run(sources=(runner.prefix("calls"), runner.prefix("later")))
    assert (job.state, job.error_code) == (JobState.FAILED, "BUCKET_NOT_FOUND")
    write_wav(tmp_path / "later" / "c.wav", seed=7)
    retried(runner, job)
    job = runner.wait(job)
    assert (job.state, job.summary.total_files, job.summary.succeeded) == (JobState.SUCCEEDED, 3, 3)
    assert sorted(runner.outputs()) == ["a.json", "b.json", "c.json"]


def test_the_webhook_reports_the_new_end(tmp_path: Path) -> None:
    lay_out(tmp_path, "a", broken=("b",))
    settings = LOOPBACK
    with receiving(in_turn(says(200))) as found, running(tmp_path, **settings) as runner:
        job = runner.run(webhook=Webhook(found.url("/hook"), "shared secret"))
        wait_until(lambda: len(found.requests) == 1)
        repair(tmp_path, "b")
        assert retried(runner, job).warnings == ()
        runner.wait(job)
        wait_until(lambda: len(found.requests) == 2)
        with runner.records.transaction() as connection:
            events = [delivery.event_type for delivery in deliveries_of(connection, job.number)]
    assert events == ["job.partial", "job.succeeded"]


def test_without_the_address_of_the_webhook_there_is_a_warning(tmp_path: Path) -> None:
    lay_out(tmp_path, "a", broken=("b",))
    settings: dict[str, Any] = {
        "webhook_allow_networks": "127.0.0.0/8",
        "webhook_allow_http": True,
        "webhook_keep_sec": 0,
    }
    with receiving(in_turn(says(200))) as found, running(tmp_path, **settings) as runner:
        job = runner.run(webhook=Webhook(found.url("/hook")))
        wait_until(lambda: len(found.requests) == 1)

        def is_gone() -> bool:
            with runner.records.transaction() as connection:
                return not connection.scalar(sa.text("SELECT count(*) FROM secret"))

        wait_until(is_gone)
        assert retried(runner, job).warnings == (NO_WEBHOOK,)
        runner.wait(job)
        assert len(found.requests) == 1


def test_a_retry_is_refused_with_the_reason(runner: FlowRunner, tmp_path: Path) -> None:
    lay_out(tmp_path, "a")
    done = runner.run()
    with pytest.raises(JobNotRetryable, match="No file of"):
        retried(runner, done)
    waiting = runner.submit(lane="nobody")
    with pytest.raises(JobNotRetryable, match="has not ended"):
        retried(runner, waiting)
    cancel_served_job(waiting, runner.records)
    with pytest.raises(JobNotRetryable, match="was canceled"):
        retried(runner, waiting)
    empty = runner.run(sources=(runner.prefix("calls", include=("*.mp3",)),))
    assert empty.error_code == "NO_INPUT_FILES"
    with pytest.raises(JobNotRetryable, match="no file that could be retried"):
        retried(runner, empty)
    for job_id, lane in (("job_local", "job_local"), ("job_watched", "watch_1")):
        local = runner.submit(job_id=job_id, lane=lane)
        fail_job(local, InternalError("A bug."), runner.records)
        with pytest.raises(JobNotRetryable, match="command line"):
            retried(runner, local)


def test_a_retry_is_refused_while_a_worker_of_an_earlier_release_is_live(runner: FlowRunner, tmp_path: Path) -> None:
    lay_out(tmp_path, broken=("a",))
    job = runner.run()
    with runner.records.transaction() as connection:
        insert_worker(connection, replace(OLD, engines=(Capability.of(ScriptedSpec()),)))
    with pytest.raises(JobNotRetryable, match="The worker old has an earlier release"):
        retried(runner, job)
    assert runner.job(job.job_id).state is JobState.FAILED


def test_of_two_retries_at_the_same_moment_one_is_refused(runner: FlowRunner, tmp_path: Path) -> None:
    """The worker has stopped, so that the first retry cannot end before the second one is asked for."""
    lay_out(tmp_path, "a", broken=("b",))
    job = runner.run()
    runner.worker.stop()
    together, answers = Barrier(2), []

    def ask() -> None:
        together.wait()
        try:
            retried(runner, job)
        except JobNotRetryable as error:
            answers.append(error.message)

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [refusal] = answers
    assert "has not ended" in refusal
    with running(tmp_path) as another:
        assert another.wait(job).retry_number == 1


def test_a_job_is_canceled_while_it_is_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "PAGE_FILES", 1)
    lay_out(tmp_path, "a", broken=("b", "c", "d"))
    pool = PausingPool(1)  # for the first file only
    with running(tmp_path, make_pool=lambda *_: pool) as runner:
        job = runner.run()
        repair(tmp_path, "b", "c", "d")
        opened = retried(runner, job)
        assert cancel_served_job(opened.job, runner.records)
        assert runner.job(job.job_id).state is JobState.CANCELED
        pool.resume()
        wait_until(lambda: runner.job(job.job_id).answer().summary.processing == 0)
        summary = runner.job(job.job_id).answer().summary
    assert summary.succeeded + summary.failed + summary.canceled == summary.total_files == 4


def test_local_files_need_no_credentials(runner: FlowRunner, tmp_path: Path) -> None:
    """Clients of the original send some with every job."""
    lay_out(tmp_path, "a", broken=("b",))
    keys = AwsCredentials("key", "secret")
    job = runner.run(input_credentials=keys, output_credentials=keys)
    retried(runner, job)
    assert runner.wait(job).retry_number == 1


def test_credentials_that_are_kept_are_used_and_released_again(tmp_path: Path) -> None:
    lay_out(tmp_path, "a", broken=("b",))
    with running(tmp_path, credentials_keep_sec=1000) as runner:
        keys = AwsCredentials("key", "secret")
        job = runner.run(input_credentials=keys, output_credentials=keys)
        retried(runner, job)
        runner.wait(job)
        with runner.records.transaction() as connection:
            kept = connection.execute(sa.text("SELECT name, expires_at FROM secret ORDER BY name")).all()
    assert [name for name, _ in kept] == ["input", "output"]
    assert all(expires_at is not None for _, expires_at in kept)
