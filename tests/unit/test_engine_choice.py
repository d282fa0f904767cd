"""The engine of a job that was accepted while no worker was live, chosen from the workers that are live later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import sqlalchemy as sa

from batchscribe.database.job_rows import begin_job, end_job, get_job, insert_job
from batchscribe.database.worker_rows import insert_worker, renew
from batchscribe.errors import EngineNotAvailable, UnsupportedLanguage
from batchscribe.jobs.model import Job
from batchscribe.jobs.worker_record import WorkerRecord, WorkerState
from batchscribe.speech.capability import Capability
from batchscribe.stages.engine_choice import bind_engine, is_unbound
from batchscribe.wire.choices import JobState
from batchscribe.wire.config import Config
from batchscribe.worker.stranded_jobs import find_stranded_jobs
from tests.jobs_on_record import a_job, stored_job
from tests.twins.queue import records_of
from tests.workers_on_record import a_worker

BASE = Capability(name="whisper", model="whisper-base", languages=("en", "de"), speed=5.0, rank=20)
SMALL = replace(BASE, model="whisper-small", revision="r1", speed=2.0, model_rank=-1)
BUILT_IN = Capability(name="pocketsphinx", model="en-us", languages=("en",), speed=3.0, rank=90)


def enter(engine: sa.Engine, found: WorkerRecord, troubles: Mapping[str, str] | None = None) -> None:
    with engine.begin() as connection:
        insert_worker(connection, found)
        renew(connection, found.worker_id, WorkerState.WORKING, troubles)


def open_job(database: sa.Engine, **changes: object) -> Job:
    with database.begin() as connection:
        return insert_job(connection, a_job(**{"engine": "auto"} | changes), fingerprint="f")


def bind(engine: sa.Engine, job: Job) -> Job:
    bound = bind_engine(job, records_of(engine), silent_sec=30)
    assert bound is not None
    return bound


def test_the_best_engine_of_all_live_workers_is_chosen_whichever_lists_the_job(engine: sa.Engine) -> None:
    job = open_job(engine)
    assert is_unbound(job)
    enter(engine, a_worker("cpu", engines=(BUILT_IN,)))
    enter(engine, a_worker("gpu", engines=(BASE, SMALL, BUILT_IN)))
    bound = bind(engine, job)
    assert (bound.engine, bound.model, bound.model_revision, bound.speed) == ("whisper", "whisper-small", "r1", 2.0)
    assert bound.queue_key == SMALL.key
    assert not is_unbound(bound)


def test_a_fit_worker_comes_first_and_an_unfit_one_is_better_than_none(engine: sa.Engine) -> None:
    enter(engine, a_worker("gpu", engines=(SMALL,)), {SMALL.key: "The GPU is lost."})
    assert bind(engine, open_job(engine, job_id="job_2")).model == "whisper-small"
    enter(engine, a_worker("cpu", engines=(BASE,)))
    assert bind(engine, open_job(engine)).model == "whisper-base"


def test_the_first_choice_stays(engine: sa.Engine) -> None:
    """Its listing may be repeated by another worker, while better models are live, and its task may be stale."""
    job = open_job(engine)
    enter(engine, a_worker("cpu", engines=(BASE,)))
    assert bind(engine, job).model == "whisper-base"
    enter(engine, a_worker("gpu", engines=(SMALL,)))
    assert bind(engine, job).model == "whisper-base"


def test_an_ended_job_is_not_changed(engine: sa.Engine) -> None:
    job = open_job(engine)
    with engine.begin() as connection:
        assert end_job(connection, job, JobState.CANCELED)
    enter(engine, a_worker("gpu", engines=(SMALL,)))
    assert bind(engine, job).engine == "auto"


def test_a_worker_that_was_silent_itself_does_not_fail_the_job(engine: sa.Engine) -> None:
    assert bind_engine(open_job(engine), records_of(engine), silent_sec=30) is None


def test_workers_without_an_engine_are_no_choice(engine: sa.Engine) -> None:
    enter(engine, a_worker("empty"))
    with pytest.raises(EngineNotAvailable, match=r"No worker has an engine; run `batchscribe models pull base`"):
        bind_engine(open_job(engine), records_of(engine), silent_sec=30)


def test_a_job_that_names_an_engine_waits_for_a_worker_that_has_it(engine: sa.Engine) -> None:
    """As it would if its worker had ended after the choice. Its worker may start later than the others."""
    job = open_job(engine, engine="whisper")
    enter(engine, a_worker("empty"))
    enter(engine, a_worker("cpu", engines=(BUILT_IN,)))
    assert bind(engine, job) == job
    enter(engine, a_worker("gpu", engines=(SMALL,)))
    assert bind(engine, job).model == "whisper-small"


def test_a_job_that_its_engine_cannot_do_is_refused(engine: sa.Engine) -> None:
    enter(engine, a_worker("cpu", engines=(BASE,)))
    with pytest.raises(UnsupportedLanguage, match="not supported by whisper"):
        bind(engine, open_job(engine, engine="whisper", config=Config(language="fr-FR")))


def test_only_jobs_of_servers_whose_listing_has_not_begun_are_unbound(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        listed = stored_job(connection, files=1, engine="whisper")
    assert not is_unbound(listed)
    assert not is_unbound(a_job(engine="whisper", lane="job_1"))
    assert not is_unbound(a_job(engine="whisper", model="whisper-base"))


def test_a_job_is_stranded_only_after_its_listing_began_without_a_choice(engine: sa.Engine) -> None:
    """A worker of an earlier release begins it without a choice."""
    job = open_job(engine)
    here = a_worker("cpu", engines=(BASE,))
    with engine.begin() as connection:
        assert find_stranded_jobs(connection, [here]) == []
        assert begin_job(connection, job)
        assert [each.engine for each in find_stranded_jobs(connection, [here])] == ["auto"]
        assert get_job(connection, job.job_id).engine == "auto"
