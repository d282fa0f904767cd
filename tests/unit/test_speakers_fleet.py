"""Which workers take jobs with diarization, and which submissions are refused."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from batchscribe.audio.decoder import DECODER
from batchscribe.database.worker_rows import insert_worker, renew, workers
from batchscribe.errors import MachineTrouble, ModelElsewhere, OptionNotAvailable
from batchscribe.jobs.worker_record import WorkerState
from batchscribe.models.pull import pull_model
from batchscribe.settings import Settings, load_settings
from batchscribe.speakers.speaker_format import NAME
from batchscribe.speakers.speaker_process import SPEAKERS
from batchscribe.speech.capability import Capability, engine_of_key, model_of_queue, queue_key_of
from batchscribe.speech.inline import InlinePool
from batchscribe.stages.engine_choice import FleetEngines, choose_here, select_diarizing
from batchscribe.wire.config import Config
from batchscribe.worker.capacity import MOST_SPEAKER_THREADS, speaker_processes, speaker_threads
from batchscribe.worker.engine_pools import EnginePools
from batchscribe.worker.machine_health import MachineHealth
from batchscribe.worker.stranded_jobs import describe_stranded, find_stranded_jobs
from tests.jobs_on_record import a_job, stored_job
from tests.models.speakers import random_speakers
from tests.workers_on_record import a_worker

WITHOUT = Capability(name="whisper", model="whisper-base", languages=("en",), speed=5.0, rank=20)
WITH = replace(WITHOUT, has_speakers=True)
DIARIZED = a_job(config=Config(diarization=True), engine="scripted")
HERE = a_worker(engines=(WITH,))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path / "data", engine="scripted")


def in_fleet(settings: Settings) -> Settings:
    return settings.model_copy(update={"database_url": "postgresql://host/batchscribe"})


def install(settings: Settings, tmp_path: Path) -> Path:
    """Install speaker models with random weights."""
    published = tmp_path / "published"
    return pull_model(NAME, settings, [random_speakers(published)], source=str(published)).path


# --- queues -------------------------------------------------------------------------------------------------------


def test_a_job_with_diarization_has_a_queue_of_its_own() -> None:
    plain = replace(DIARIZED, config=Config(), model="whisper-base", engine="whisper")
    diarized = replace(plain, config=DIARIZED.config)
    assert plain.queue_key == plain.model_key == WITHOUT.key
    assert diarized.model_key == WITHOUT.key
    assert diarized.queue_key == queue_key_of(WITHOUT.key, diarization=True) != plain.queue_key
    assert engine_of_key(diarized.queue_key) == "whisper"
    assert model_of_queue(diarized.queue_key) == WITHOUT.key
    assert engine_of_key(replace(diarized, model=None).queue_key) == "whisper"


def test_jobs_with_diarization_wait_for_a_worker_with_the_speaker_models(connection: sa.Connection) -> None:
    stored_job(connection, files=3, engine="whisper", model="whisper-base", config=DIARIZED.config)
    insert_worker(connection, replace(HERE, engines=(WITHOUT,)))
    [stranded] = find_stranded_jobs(connection, workers(connection))
    assert describe_stranded(stranded) == (
        "Jobs that wait for the engine whisper with whisper-base and the speaker models, which no worker has: 1."
    )
    insert_worker(connection, replace(HERE, worker_id="two-2"))
    assert find_stranded_jobs(connection, workers(connection)) == []


def test_jobs_without_diarization_are_counted_apart(connection: sa.Connection) -> None:
    stored_job(connection, files=3, engine="whisper", model="whisper-base", config=DIARIZED.config)
    stored_job(connection, job_id="job_2", files=3, engine="whisper", model="whisper-base")
    stored_job(connection, job_id="job_3", files=3, engine="whisper", model="whisper-base")
    insert_worker(connection, replace(HERE, engines=()))
    found = find_stranded_jobs(connection, workers(connection))
    assert [(each.diarization, each.jobs) for each in found] == [(False, 2), (True, 1)]


# --- submission ---------------------------------------------------------------------------------------------------


def test_only_engines_of_workers_with_the_speaker_models_are_chosen() -> None:
    other = replace(WITH, name="onnx")
    fleet = FleetEngines(fit=(WITHOUT, other), all=(WITHOUT, other, WITH))
    assert select_diarizing(fleet) == FleetEngines(fit=(other,), all=(other, WITH))


def test_without_such_a_worker_a_fleet_names_the_next_step() -> None:
    fleet = FleetEngines(fit=(WITHOUT,), all=(WITHOUT,))
    with pytest.raises(OptionNotAvailable, match=r"No worker has .*`batchscribe models pull speakers`") as caught:
        select_diarizing(fleet)
    assert caught.value.field == "config.diarization"


def test_without_a_fleet_this_machine_decides(settings: Settings, tmp_path: Path) -> None:
    def choose() -> str:
        return choose_here("scripted", DIARIZED.config, settings, has_phrases=False).engine

    with pytest.raises(OptionNotAvailable, match=r"not installed; get them with `batchscribe models pull speakers`"):
        choose()
    install(settings, tmp_path)
    assert choose() == "scripted"


def test_a_worker_whose_diarization_is_unfit_still_takes_other_jobs(connection: sa.Connection) -> None:
    """A job with diarization waits until it is fit again."""
    insert_worker(connection, HERE)
    renew(connection, HERE.worker_id, WorkerState.WORKING, {SPEAKERS: "There is no memory."})
    [found] = workers(connection)
    assert found.fit_engines == (WITHOUT,)
    assert not found.is_unfit
    fleet = FleetEngines(fit=found.fit_engines, all=found.engines)
    assert select_diarizing(fleet) == FleetEngines(fit=(), all=(WITH,))


# --- a worker -----------------------------------------------------------------------------------------------------


def test_a_worker_offers_diarization_if_its_models_are_installed(settings: Settings, tmp_path: Path) -> None:
    pools = EnginePools(settings, InlinePool)
    assert [each.has_speakers for each in pools.take_stock()] == [False]
    with pytest.raises(OptionNotAvailable, match="`batchscribe models pull speakers`"):
        pools.choose(DIARIZED)
    install(settings, tmp_path)
    assert [each.has_speakers for each in pools.take_stock()] == [True]
    assert [each.has_speakers for each in pools.take_stock(diarizes=False)] == [False]
    assert pools.choose(DIARIZED).spec.name == "scripted"


def test_in_a_fleet_missing_speaker_models_may_be_elsewhere(settings: Settings) -> None:
    pools = EnginePools(in_fleet(settings), InlinePool)
    pools.take_stock()
    with pytest.raises(ModelElsewhere):
        pools.choose(DIARIZED)


def test_speaker_models_that_vanish_are_trouble_of_diarization_alone(settings: Settings, tmp_path: Path) -> None:
    folder = install(settings, tmp_path)
    pools = EnginePools(in_fleet(settings), InlinePool)
    pools.take_stock()
    shutil.rmtree(folder)
    with pytest.raises(MachineTrouble) as caught:
        pools.choose(DIARIZED)
    assert (caught.value.part, isinstance(caught.value, ModelElsewhere)) == (SPEAKERS, False)
    assert pools.choose(replace(DIARIZED, config=Config())).spec.name == "scripted"


def test_unfit_diarization_stops_only_jobs_that_need_it() -> None:
    health = MachineHealth(lambda _part: None)
    health.report(MachineTrouble("There is no memory.", part=SPEAKERS))
    assert health.is_fit_for("whisper")
    assert health.is_fit_for(WITHOUT.key)
    assert not health.is_fit_for(queue_key_of("whisper", diarization=True))
    assert not health.is_fit_for(queue_key_of(WITHOUT.key, diarization=True))
    health.check_any()
    health.confirm(SPEAKERS)
    assert health.is_fit_for(queue_key_of(WITHOUT.key, diarization=True))


@pytest.mark.parametrize("part", [DECODER, "whisper", WITHOUT.key])
def test_diarized_jobs_also_need_the_decoder_the_engine_and_the_model(part: str) -> None:
    health = MachineHealth(lambda _part: None)
    health.report(MachineTrouble("It fails.", part=part))
    assert not health.is_fit_for(queue_key_of(WITHOUT.key, diarization=True))


def test_an_engine_that_is_alone_and_unfit_is_reported_although_diarization_is_fit() -> None:
    health = MachineHealth(lambda _part: None)
    health.confirm(SPEAKERS)
    health.report(MachineTrouble("It fails.", part="whisper"))
    with pytest.raises(MachineTrouble):
        health.check_any()


@pytest.mark.parametrize(
    ("cores", "threads", "processes"), [(1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 2, 2), (64, MOST_SPEAKER_THREADS, 8)]
)
def test_speakers_of_a_recording_use_half_of_the_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, threads: int, processes: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert speaker_threads() == threads
    assert speaker_processes() == processes
