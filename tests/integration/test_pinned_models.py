"""A job keeps the model that it was accepted for, whatever is installed, upgraded or removed meanwhile."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from batchscribe.cli.local_records import open_alone
from batchscribe.database.bulk import UnixNow
from batchscribe.database.tables import job, shard
from batchscribe.database.tables import worker as worker_table
from batchscribe.errors import EngineNotAvailable, MachineTrouble, ModelElsewhere
from batchscribe.intake.checks import plan_job
from batchscribe.intake.submission import read_local_requests, read_request
from batchscribe.intake.submit import submit
from batchscribe.jobs.model import Job
from batchscribe.models.origin import Origin, write_origin
from batchscribe.settings import Settings, load_settings
from batchscribe.speech.capability import Capability, key_of_model
from batchscribe.speech.inline import InlinePool
from batchscribe.stages.engine_choice import FleetEngines
from batchscribe.wire.request import JobRequest
from batchscribe.worker.engine_pools import EnginePools
from tests.integration.command import Command, wait_until
from tests.integration.server import serving
from tests.integration.test_fleet import ANY_SEC, QUICK, database, kill, living, worker
from tests.jobs_on_record import a_job
from tests.models.whisper import Line, random_whisper, scripted_whisper
from tests.recordings import write_wav
from tests.servers.postgresql import PostgreSQL

WHISPER = QUICK | {"BATCHSCRIBE_ENGINE": "whisper", "BATCHSCRIBE_DEVICE": "cpu"}


def install(data_dir: Path, name: str, says: str, *, revision: str | None = None) -> Path:
    folder = scripted_whisper(data_dir / "models" / name, Line(says))
    write_origin(folder, Origin(revision=revision))
    return folder


def texts(folder: Path) -> set[str]:
    return {json.dumps(json.loads(path.read_text())) for path in folder.rglob("*.json")}


# --- one process -----------------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path) -> Command:
    write_wav(tmp_path / "calls" / "a.wav", duration_sec=1.0)
    return Command(tmp_path, {"BATCHSCRIBE_ENGINE": "whisper", "BATCHSCRIBE_ENGINE_PROCESSES": "1"})


def submit_only(command: Command) -> Job:
    """Store a job of the command line, like a command that was killed at once."""
    settings = load_settings(data_dir=command.folder / "data", engine="whisper")
    request = JobRequest.model_validate(
        {
            "input": {"mode": "PREFIX", "uri": f"{(command.folder / 'calls').as_uri()}/"},
            "output": {"uri": f"{(command.folder / 'out').as_uri()}/"},
            "config": {"segmentation_mode": "none"},
        }
    )
    (command.folder / "out").mkdir()
    with open_alone(settings) as records:
        records.flow.prepare()
        return submit(read_local_requests([request], settings=settings), records, settings)


def test_a_job_is_resumed_with_its_model_after_a_better_one_was_installed(command: Command) -> None:
    install(command.folder / "data", "tiny", "old words", revision="r1")
    job = submit_only(command)
    assert (job.model, job.model_revision) == ("whisper-tiny", "r1")
    install(command.folder / "data", "large-v3", "new words")
    done = command.run("jobs", "resume", job.job_id)
    assert done.status == 0, done
    assert all("old words" in text and "whisper-tiny" in text for text in texts(command.folder / "out"))
    command.environment["BATCHSCRIBE_ENGINE"] = "whisper"
    other = command.run("transcribe", "calls", "--output", "other/", "--segmentation", "none")
    assert other.status == 0, other
    assert all("new words" in text for text in texts(command.folder / "other"))


def test_a_job_keeps_its_model_when_the_settings_name_another(command: Command) -> None:
    install(command.folder / "data", "tiny", "old words")
    job = submit_only(command)
    install(command.folder / "data", "base", "new words")
    command.environment["BATCHSCRIBE_WHISPER_MODEL"] = "base"
    done = command.run("jobs", "resume", job.job_id)
    assert done.status == 0, done
    assert all("old words" in text for text in texts(command.folder / "out"))


def test_a_job_whose_model_was_upgraded_names_model_revision_and_next_step(command: Command) -> None:
    folder = install(command.folder / "data", "tiny", "old words", revision="r1")
    job = submit_only(command)
    write_origin(folder, Origin(revision="r2"))
    refused = command.run("jobs", "resume", job.job_id)
    assert refused.status == 2
    message = " ".join(refused.err.split())
    assert "accepted for engine whisper with whisper-tiny at revision r1, which is not installed here" in message
    assert "installed: whisper-tiny at revision r2. Install that model again, or cancel the job" in message
    write_origin(folder, Origin(revision="r1"))
    assert command.run("jobs", "resume", job.job_id).status == 0


def test_a_single_server_fails_a_job_whose_model_is_gone_instead_of_leaving_it(tmp_path: Path) -> None:
    command = Command(tmp_path, WHISPER | {"BATCHSCRIBE_FILE_ROOTS": str(tmp_path)})
    write_wav(tmp_path / "calls" / "a.wav", duration_sec=1.0)
    old = install(tmp_path / "data", "tiny", "old words")
    with serving(command, "--no-worker") as server:
        job_id = server.submit(tmp_path)
    shutil.rmtree(old)
    install(tmp_path / "data", "base", "new words")
    with serving(command) as server:
        server.wait(job_id, "FAILED")
        assert "with whisper-tiny, which is not installed here" in server.job(job_id)["error"]["message"]
        server.wait(server.submit(tmp_path))
    assert all("new words" in text for text in texts(tmp_path / "out"))


# --- a fleet ---------------------------------------------------------------------------------------------------


@pytest.fixture
def fleet(postgresql: PostgreSQL, tmp_path: Path) -> Command:
    settings = postgresql.settings(postgresql.new_database())
    write_wav(tmp_path / "calls" / "a.wav", duration_sec=1.0)
    return Command(tmp_path, WHISPER | settings | {"BATCHSCRIBE_FILE_ROOTS": str(tmp_path)})


@contextmanager
def worker_with(command: Command, model: str, says: str) -> Iterator[Any]:
    """A worker on a machine with one model."""
    folder = command.folder / f"machine-{model}"
    if not folder.exists():
        install(folder, model, says)
    with worker(command, model, DATA_DIR=str(folder)) as process:
        yield process


def test_only_a_worker_with_the_model_of_a_job_takes_it(fleet: Command) -> None:
    with serving(fleet, "--no-worker") as server:
        with worker_with(fleet, "tiny", "old words"):
            wait_until(lambda: living(fleet) != [])
            job_id = server.submit(fleet.folder)
        with worker_with(fleet, "large-v3", "new words"):
            newer = server.submit(fleet.folder, output={"uri": f"{(fleet.folder / 'newer').as_uri()}/"})
            server.wait(newer)
            wait_until(lambda: all(not each.troubles for each in living(fleet)))
            assert server.job(job_id)["state"] in {"QUEUED", "PROCESSING", "SUCCEEDED"}
            if server.job(job_id)["state"] != "SUCCEEDED":
                doctor = " ".join(fleet.run("doctor").out.split())
                assert "Jobs that wait for the engine whisper with whisper-tiny, which no worker has: 1." in doctor
            with worker_with(fleet, "tiny", "old words"):
                server.wait(job_id)
    assert all("old words" in text for text in texts(fleet.folder / "out"))
    assert all("new words" in text for text in texts(fleet.folder / "newer"))


def has_shards(command: Command) -> bool:
    engine = database(command)
    with engine.connect() as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(shard))
    engine.dispose()
    return bool(count)


def change_rows(command: Command, *statements: sa.Update | sa.Delete) -> None:
    engine = database(command)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    engine.dispose()


def test_a_shard_in_the_queue_of_the_engine_moves_to_a_worker_with_the_model(fleet: Command) -> None:
    """While a worker of an earlier release, which publishes no ranks, had the model, the job was listed."""
    with serving(fleet, "--no-worker") as server:
        with worker_with(fleet, "tiny", "old words") as earlier:
            kill(earlier)
        tiny = Capability(name="whisper", model="whisper-tiny", languages=("en",), speed=5.0).as_json()
        change_rows(fleet, sa.update(worker_table).values(engines=[tiny], seen_at=UnixNow() + 3600))
        job_id = server.submit(fleet.folder)
        with worker(fleet, "listing", ENGINE="scripted"):
            wait_until(lambda: has_shards(fleet))
        change_rows(fleet, sa.delete(worker_table), sa.update(job).values(model="whisper-tiny"))
        with worker_with(fleet, "large-v3", "new words"):
            newer = server.submit(fleet.folder, output={"uri": f"{(fleet.folder / 'newer').as_uri()}/"})
            server.wait(newer)
            assert server.job(job_id)["state"] == "PROCESSING"
            assert [each.troubles for each in living(fleet, ANY_SEC) if each.name == "large-v3"] == [{}]
            with worker_with(fleet, "tiny", "old words"):
                server.wait(job_id)
    assert all("old words" in text for text in texts(fleet.folder / "out"))


@pytest.mark.parametrize(("rank", "model"), [(None, None), (20, "whisper-tiny")])
def test_a_job_is_bound_to_the_model_of_a_worker_that_reads_its_queue(
    tmp_path: Path, rank: int | None, model: str | None
) -> None:
    """Workers of earlier releases, which publish no rank, do not."""
    settings = load_settings(data_dir=tmp_path, file_roots=str(tmp_path), database_url="postgresql://host/batchscribe")
    tiny = Capability(name="whisper", model="whisper-tiny", languages=("en",), speed=5.0, rank=rank)
    body = {
        "input": {"mode": "PREFIX", "uri": tmp_path.as_uri()},
        "output": {"uri": f"{(tmp_path / 'out').as_uri()}/"},
    }
    submission = read_request(JobRequest.model_validate(body), tenant="default", settings=settings)
    planned = plan_job(submission, settings, FleetEngines(fit=(tiny,), all=(tiny,)))
    assert (planned.engine, planned.model) == ("whisper", model)
    assert planned.queue_key == ("whisper" if model is None else tiny.key)


# --- the choice in a worker ------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = load_settings(data_dir=tmp_path, engine="whisper", device="cpu")
    random_whisper(settings.models_dir / "tiny")
    random_whisper(settings.models_dir / "base")
    return settings


def test_a_worker_chooses_exactly_the_model_of_the_job(settings: Settings) -> None:
    pools = EnginePools(settings, InlinePool)
    assert [each.model for each in pools.take_stock()] == ["whisper-base", "whisper-tiny"]
    tiny = a_job(engine="whisper", model="whisper-tiny")
    assert pools.choose(tiny).spec.model == "whisper-tiny"
    assert pools.choose(replace(tiny, model=None)).spec.model == "whisper-base", "of an earlier release"
    with pytest.raises(EngineNotAvailable, match=r"with whisper-tiny at revision r9, which is not installed here"):
        pools.choose(replace(tiny, model_revision="r9"))


def test_in_a_fleet_a_missing_model_may_be_elsewhere(settings: Settings) -> None:
    fleet = settings.model_copy(update={"database_url": "postgresql://host/batchscribe"})
    pools = EnginePools(fleet, InlinePool)
    pools.take_stock()
    with pytest.raises(ModelElsewhere, match="whisper-small, which is not installed here"):
        pools.choose(a_job(engine="whisper", model="whisper-small"))
    with pytest.raises(EngineNotAvailable, match="Engine 'other' is not known"):
        pools.choose(a_job(engine="other"))


def test_a_model_that_vanishes_is_trouble_of_this_model_alone(settings: Settings) -> None:
    pools = EnginePools(settings, InlinePool)
    pools.take_stock()
    key = key_of_model("whisper", "whisper-tiny", None)
    pools.try_out(key)
    shutil.rmtree(settings.models_dir / "tiny")
    with pytest.raises(MachineTrouble) as caught:
        pools.choose(a_job(engine="whisper", model="whisper-tiny"))
    assert caught.value.part == key
    with pytest.raises(MachineTrouble, match="no longer has whisper-tiny, which it had when this process started"):
        pools.try_out(key)
    pools.try_out("whisper")
    assert pools.choose(a_job(engine="whisper", model="whisper-base")).spec.model == "whisper-base"


def test_a_model_that_the_settings_exclude_is_not_offered_but_still_served(settings: Settings) -> None:
    configured = settings.model_copy(update={"whisper_model": "tiny"})
    stock = EnginePools(configured, InlinePool).take_stock()
    assert [(each.model, each.is_offered) for each in stock] == [("whisper-tiny", True), ("whisper-base", False)]
