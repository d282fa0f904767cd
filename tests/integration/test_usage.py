"""What jobs report as their usage: real decoders and engines, files that fail, attempts that are interrupted."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from batchscribe.cost import measure_cost
from batchscribe.database.usage_rows import total_usage
from batchscribe.jobs.model import Job
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.inline import InlinePool
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.stages.finish import cancel_job
from batchscribe.wire.choices import JobState
from tests.integration.command import wait_until
from tests.integration.flow_runner import FlowRunner, running
from tests.integration.pausing_pool import pausing_after
from tests.integration.test_engine_pool import ANSWER_SEC, request, stopped_engine
from tests.recordings import write_wav


def slow_pool(_spec: EngineSpec, processes: int) -> InlinePool:
    return InlinePool(ScriptedSpec(script=Script(call_sec=0.3)), processes)


def of_tenant(runner: FlowRunner) -> tuple[int, float, float, int]:
    with runner.records.transaction() as connection:
        usage = total_usage(connection, "default")
    return usage.files, usage.audio_sec, usage.compute_sec, usage.bytes_in


def of_job(job: Job) -> tuple[int, float, float, int]:
    ended = job.summary.succeeded + job.summary.failed + job.summary.skipped
    return ended, job.summary.audio_sec, job.compute_sec, job.bytes_in


def test_a_job_counts_the_bytes_it_read_and_the_time_of_its_engines_and_decoders(tmp_path: Path) -> None:
    files = [write_wav(tmp_path / "calls" / f"{number}.wav", duration_sec=2.0) for number in range(3)]
    with running(tmp_path, make_pool=slow_pool) as runner:
        began_at = time.monotonic()
        job = runner.run()
        took_sec = time.monotonic() - began_at
        assert job.state is JobState.SUCCEEDED
        assert job.bytes_in == sum(file.stat().st_size for file in files)
        assert 3 * 0.3 <= job.compute_sec < 4 * took_sec, "two engines and two decoders work at once"
        assert of_tenant(runner) == pytest.approx(of_job(job))
        usage = job.answer().body()["usage"]
        assert usage == {
            "audio_sec": 6.0,
            "compute_sec": round(job.compute_sec, 3),
            "bytes_in": job.bytes_in,
            "retries": 0,
        }


def test_a_file_that_fails_costs_what_was_read_of_it(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "bad.wav").write_bytes(b"RIFF" + bytes(range(256)) * 40)
    with running(tmp_path) as runner:
        job = runner.run()
        assert (job.state, job.summary.failed) == (JobState.FAILED, 1)
        assert job.bytes_in > 0
        assert of_tenant(runner) == pytest.approx(of_job(job))


def test_what_a_canceled_job_did_counts(tmp_path: Path) -> None:
    for number in range(6):
        write_wav(tmp_path / "calls" / f"{number}.wav")
    with running(tmp_path, make_pool=pausing_after(3, call_sec=0.3)) as runner:
        job = runner.wait(runner.submit(), until=lambda job: job.summary.succeeded >= 1)
        assert cancel_job(job, runner.records)
    with running(tmp_path) as runner:  # the first worker has ended, and its files with it
        job = runner.job(job.job_id)
        assert job.state is JobState.CANCELED
        assert job.compute_sec >= 0.3
        assert of_tenant(runner) == pytest.approx(of_job(job))


def test_the_windows_of_a_batch_share_its_time_by_their_length() -> None:
    spec = ScriptedSpec(batch_size=4, script=Script(call_sec=0.5))
    with EnginePool(spec, 1) as pool:
        pool.submit(request()).result(ANSWER_SEC)  # the engine is loaded
        with stopped_engine(), measure_cost() as blocking:
            first = pool.submit(request(), "first")
            wait_until(lambda: pool._queue.backlog == 0)  # noqa: SLF001 - the next two windows wait together
            with measure_cost() as long:
                second = pool.submit(request(duration_sec=3.0), "long")
            with measure_cost() as short:
                third = pool.submit(request(duration_sec=1.0), "short")
        for future in (first, second, third):
            future.result(ANSWER_SEC)
        took = [meter.take().compute_sec for meter in (blocking, long, short)]
    assert took[0] >= 0.5
    assert took[1] == pytest.approx(3 * took[2])
    assert took[1] + took[2] >= 0.5


def test_an_engine_that_fails_costs_its_time() -> None:
    spec = ScriptedSpec(script=Script(call_sec=0.2, fails_at=frozenset({7.0})))
    with EnginePool(spec, 1) as pool, measure_cost() as meter:
        assert pool.submit(request(7.0)).exception(ANSWER_SEC) is not None
    assert meter.take().compute_sec >= 2 * 0.2
