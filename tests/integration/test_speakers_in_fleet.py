"""A fleet in which only some machines have the speaker models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchscribe.models.pull import pull_model
from batchscribe.settings import load_settings
from batchscribe.speakers.speaker_format import NAME
from tests.integration.command import Command, wait_until
from tests.integration.server import serving
from tests.integration.test_fleet import QUICK, kill, living, worker
from tests.models.speakers import random_speakers
from tests.recordings import write_wav
from tests.servers.postgresql import PostgreSQL

CONFIG = {"diarization": True, "segmentation_mode": "none"}


@pytest.fixture
def fleet(postgresql: PostgreSQL, tmp_path: Path) -> Command:
    """A killed worker counts as live for 10 s, long enough to submit a job for it."""
    settings = postgresql.settings(postgresql.new_database()) | {"BATCHSCRIBE_SILENT_SEC": "10"}
    for number in range(4):
        write_wav(tmp_path / "calls" / f"{number}.wav", duration_sec=2.0)
    return Command(tmp_path, QUICK | settings | {"BATCHSCRIBE_FILE_ROOTS": str(tmp_path)})


def machine(fleet: Command, name: str, *, has_speakers: bool) -> str:
    """Return the data directory of a machine. Its speaker models, if it has some, have random weights."""
    settings = load_settings(data_dir=fleet.folder / name)
    if has_speakers:
        published = fleet.folder / f"published-{name}"
        pull_model(NAME, settings, [random_speakers(published)], source=str(published))
    return str(settings.data_dir)


def test_only_workers_with_the_speaker_models_take_jobs_with_diarization(fleet: Command) -> None:
    without, able = (machine(fleet, name, has_speakers=name == "able") for name in ("without", "able"))
    body = {
        "input": {"mode": "PREFIX", "uri": (fleet.folder / "calls").as_uri()},
        "output": {"uri": f"{(fleet.folder / 'out').as_uri()}/"},
        "config": CONFIG,
    }
    with serving(fleet, "--no-worker") as server, worker(fleet, "without", DATA_DIR=without):
        refused = server.post("/jobs", body)
        assert refused.status_code == 400
        assert "OPTION_NOT_AVAILABLE" in refused.text
        assert "config.diarization: No worker has the speaker models; run `batchscribe models pull" in refused.text
        with worker(fleet, "able", DATA_DIR=able) as process:
            kill(process)
            job_id = server.submit(fleet.folder, config=CONFIG)
        plain = server.submit(fleet.folder, output={"uri": f"{(fleet.folder / 'plain').as_uri()}/"})
        server.wait(plain)
        wait_until(lambda: "and the speaker models, which no worker has: 1." in examine(fleet))
        assert server.job(job_id)["state"] == "PROCESSING"
        with worker(fleet, "able", DATA_DIR=able):
            wait_until(lambda: all(not each.troubles for each in living(fleet)))
            server.wait(job_id)
    assert speakers_below(fleet.folder / "out") == {"Speaker 1"}
    assert speakers_below(fleet.folder / "plain") == {None}


def examine(fleet: Command) -> str:
    """Return the report of the doctor, on one line."""
    return " ".join(fleet.run("doctor").out.split())


def speakers_below(folder: Path) -> set[str | None]:
    documents = [json.loads(path.read_text()) for path in folder.rglob("*.json")]
    assert len(documents) == 4
    return {segment.get("speaker") for each in documents for segment in each["result"]["segments"]}
