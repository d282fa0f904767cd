"""A fleet with workers of an earlier release, and a worker that finds a job of a newer one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from batchscribe.database.tables import job as job_table
from batchscribe.database.tables import worker as worker_table
from batchscribe.database.worker_rows import delete_workers, insert_worker
from batchscribe.errors import OptionNotAvailable
from batchscribe.intake.checks import find_engines, plan_job
from batchscribe.jobs.model import Job
from batchscribe.speech.capability import Capability
from batchscribe.speech.scripted import ScriptedSpec
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import JobState, OutputLayout
from batchscribe.wire.config import ADDED_OPTIONS, FIELDS_OF_OPTIONS, Config
from batchscribe.wire.output import Output
from batchscribe.worker import hooks
from tests.integration.command import wait_until
from tests.integration.flow_runner import EVERYTHING, LANE, FlowRunner, running
from tests.recordings import write_wav
from tests.workers_on_record import a_worker

pytestmark = pytest.mark.usefixtures("database")

ENGINE = Capability.of(ScriptedSpec())
OLD = a_worker("old", version="0.1.0", lanes=(LANE,), engines=(ENGINE,))
VALUES: dict[str, Any] = {
    "diarization": True,
    "peaks": ["json", "peaks"],
    "profanity_filter": True,
    "vocabulary": {"aliases": [{"canonical": "Xin", "variants": ["shin"]}]},
    "vocabulary_id": "voc_1",
    "word_confidence": True,
}


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[FlowRunner]:
    write_wav(tmp_path / "calls" / "a.wav")
    with running(tmp_path) as started:
        yield started


def enter_old_worker(runner: FlowRunner) -> None:
    """Register a worker, with the row that releases without these options write."""
    values = {name: value for name, value in ENGINE.as_json().items() if name not in {"options", "has_speakers"}}
    with runner.records.transaction() as connection:
        insert_worker(connection, OLD)
        row = sa.update(worker_table).where(worker_table.c.worker_id == OLD.worker_id)
        connection.execute(row.values(engines=[values]))


@pytest.mark.parametrize("option", ADDED_OPTIONS)
def test_an_option_is_refused_while_a_worker_of_an_earlier_release_is_live(runner: FlowRunner, option: str) -> None:
    enter_old_worker(runner)
    field = FIELDS_OF_OPTIONS.get(option, option)
    submission = runner.submission(config=Config.model_validate({field: VALUES[option]}))
    with pytest.raises(OptionNotAvailable, match="The worker old has an earlier release") as caught:
        plan_job(submission, runner.settings, find_engines(submission, runner.records, runner.settings))
    assert caught.value.field == f"config.{field}"


def test_once_that_worker_has_ended_the_option_is_accepted(runner: FlowRunner) -> None:
    enter_old_worker(runner)
    assert runner.run().state is JobState.SUCCEEDED
    config = EVERYTHING.model_copy(update={"word_confidence": True})
    output = Output(uri=f"{(runner.folder / 'again').as_uri()}/", layout=OutputLayout.PREFIX)
    with pytest.raises(OptionNotAvailable):
        runner.submit(config=config, output=output)
    with runner.records.transaction() as connection:
        delete_workers(connection, [OLD.worker_id])
    assert runner.run(config=config, output=output).state is JobState.SUCCEEDED


def test_a_worker_of_another_lane_does_not_matter(runner: FlowRunner) -> None:
    enter_old_worker(runner)
    submission = runner.submission(lane="other", config=Config(word_confidence=True))
    assert find_engines(submission, runner.records, runner.settings).outdated == {}


def test_a_job_that_cannot_be_read_goes_back_to_its_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for a worker of the release that accepted it."""
    monkeypatch.setattr(hooks, "RETRY_SEC", 0.2)
    write_wav(tmp_path / "calls" / "a.wav")
    with running(tmp_path) as stopped:
        pass
    job = stopped.submit()
    config = EVERYTHING.echo()
    rewrite(stopped, job, config | {"segmentation_mode": "of-a-later-release"})
    stopped.records.database.dispose()
    with capture_logs() as logs, running(tmp_path) as runner:
        wait_until(lambda: sum(line["event"] == "job.unreadable" for line in logs) >= 2)
        rewrite(runner, job, config)
        assert runner.wait(job).state is JobState.SUCCEEDED
    assert not [line for line in logs if line["event"] == "task.mistake"]
    assert job.job_id in next(line["error"] for line in logs if line["event"] == "job.unreadable")


def rewrite(runner: FlowRunner, job: Job, config: JsonObject) -> None:
    """Replace the configuration in the job's row."""
    with runner.records.transaction() as connection:
        of_job = job_table.c.number == job.number
        request = connection.scalar(sa.select(job_table.c.request).where(of_job))
        connection.execute(sa.update(job_table).where(of_job).values(request={**(request or {}), "config": config}))
