"""A long listing gives way to others, and resumes where it was. On both databases."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from batchscribe.jobs.model import Job
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.stages.enumerate_files import enumerate_job
from batchscribe.stages.listing import PAGE_FILES
from batchscribe.worker import handlers
from tests.databases import engine_tasks
from tests.integration.flow_runner import FlowRunner, running
from tests.integration.test_azure import KEYED, NAMES, UNSORTED, pages_by_marker
from tests.recordings import write_wav
from tests.servers.scripted import Asked, Reply, scripted_server

PAGES = 4


@pytest.fixture
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """One page each."""
    monkeypatch.setattr(handlers, "enumerate_job", partial(enumerate_job, turn_sec=0.0))


def write_many(folder: Path) -> None:
    """Write one recording and many other files."""
    write_wav(folder / "calls" / "a.wav")
    for number in range(PAGES * PAGE_FILES):
        (folder / "calls" / f"b{number:05}.xyz").write_bytes(b"something")


def listings(runner: FlowRunner, job: Job) -> set[str]:
    with runner.records.transaction() as connection:
        return {task for task in engine_tasks(connection) if task.startswith(f"enumerate-{job.job_id}")}


@pytest.mark.usefixtures("database", "short_turns")
def test_a_listing_of_many_turns_finds_every_file_once(tmp_path: Path) -> None:
    write_many(tmp_path)
    with running(tmp_path) as runner:
        job = runner.run()
        assert job.summary.total_files == PAGES * PAGE_FILES + 1
        assert (job.summary.succeeded, job.summary.skipped) == (1, PAGES * PAGE_FILES)
        assert len(listings(runner, job)) >= PAGES


@pytest.mark.usefixtures("database")
def test_a_short_listing_is_one_turn(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "a.wav")
    with running(tmp_path) as runner:
        job = runner.run()
        assert listings(runner, job) <= {f"enumerate-{job.job_id}"}


@pytest.mark.usefixtures("short_turns")
def test_a_listing_in_the_order_of_azure_is_continued_by_its_markers(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "a.wav").read_bytes()
    listing = pages_by_marker(UNSORTED)

    def answer(asked: Asked) -> Reply:
        return listing(asked) if "comp" in asked.query else whole(recording)

    with scripted_server(answer) as storage, running(tmp_path, azure_endpoint=storage.url) as runner:
        source = Source(SourceKind.PREFIX, "az://container/calls/")
        job = runner.run(input={"mode": "PREFIX", "source": "AZURE"}, sources=(source,), input_credentials=KEYED)
        found = [file.input_uri.removeprefix("az://container/calls/") for file in runner.files(job)]
        markers = [asked.query.get("marker") for asked in storage.asked if "comp" in asked.query]
        assert len(listings(runner, job)) >= len(UNSORTED)
    assert found == NAMES
    assert job.summary.succeeded == len([name for name in NAMES if name.endswith(".wav")])
    assert markers.count(None) == 1  # no turn begins again


def whole(data: bytes) -> Reply:
    return Reply(206, data, {"ETag": '"1"', "Content-Range": f"bytes 0-{len(data) - 1}/{len(data)}"})
