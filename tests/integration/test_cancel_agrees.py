"""Storage and rows agree after a cancel at any moment, also after a kill."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Hashable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from batchscribe.database.file_rows import files_being_written
from batchscribe.database.job_rows import get_job
from batchscribe.database.sealed import has_secret
from batchscribe.jobs.model import Job
from batchscribe.queue.records import open_records
from batchscribe.settings import load_settings
from batchscribe.speech.engine import RecognitionRequest
from batchscribe.speech.inline import InlinePool
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.stages.deliver import Webhook
from batchscribe.stages.finish import cancel_job
from batchscribe.stages.sealed_credentials import INPUT
from batchscribe.storage.local.file_store import FileStore
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.window import Recognition
from batchscribe.wire.choices import FileState, JobState, OutputLayout
from batchscribe.wire.output import Output
from tests.deliveries import deliveries_of
from tests.integration.command import wait_until
from tests.integration.flow_runner import FlowRunner, running
from tests.recordings import write_wav

pytestmark = pytest.mark.usefixtures("database")

ROOT = Path(__file__).resolve().parents[2]
FILES = 12
JOBS = 10
ENDLESS_SEC = 0.75  #: of the recording whose transcription never ends
KEYS = AwsCredentials("AKIA", "SECRET")
WEBHOOK = Webhook("https://receiver.invalid/", "secret")


@pytest.fixture
def recordings(tmp_path: Path) -> None:
    for number in range(FILES):
        write_wav(tmp_path / "calls" / f"{number:02}.wav", duration_sec=0.5, seed=number)


@pytest.fixture
def slow_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage that answers some time after it has stored, so that a cancel can come in between."""
    write = FileStore.write

    def write_slowly(store: FileStore, uri: str, data: bytes, **options: Any) -> None:
        time.sleep(0.01)
        write(store, uri, data, **options)
        time.sleep(0.03)

    monkeypatch.setattr(FileStore, "write", write_slowly)


def submitted(runner: FlowRunner, name: str) -> Job:
    output = Output(uri=f"{(runner.folder / name).as_uri()}/", layout=OutputLayout.PREFIX)
    return runner.submit(output=output, input_credentials=KEYS, webhook=WEBHOOK)


def has_written(folder: Path, count: int) -> bool:
    return len(list(folder.glob("*.json"))) >= count


def settled(runner: FlowRunner, job: Job) -> Job:
    def is_settled() -> bool:
        with runner.records.transaction() as connection:
            return not files_being_written(connection, job.number)

    wait_until(is_settled, within_sec=60)
    return runner.job(job.job_id)


def assert_agrees(runner: FlowRunner, job: Job, folder: Path) -> None:
    files = runner.files(job)
    written = {path.as_uri() for path in folder.glob("*.json")}
    shown = {file.output_uri for file in files if file.state_in(job.state) is FileState.SUCCEEDED}
    assert written == shown
    summary = job.answer().summary
    assert summary.succeeded == len(written)
    assert summary.succeeded + summary.canceled == summary.total_files == len(files)
    with runner.records.transaction() as connection:
        events = [json.loads(delivery.payload) for delivery in deliveries_of(connection, job.number)]
        assert not has_secret(connection, job, INPUT)
    assert [event["job"]["summary"] for event in events] == [summary.model_dump()]


class Endless(InlinePool):
    """Never ends with one of the recordings, so that no job ends before it is canceled."""

    def __init__(self) -> None:
        super().__init__(ScriptedSpec(script=Script(call_sec=0.01)), 2)

    def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
        return Future() if request.window.duration_sec == ENDLESS_SEC else super().submit(request, file)


@pytest.mark.usefixtures("recordings", "slow_writes")
def test_a_job_canceled_at_any_moment_has_the_transcripts_that_it_says(tmp_path: Path) -> None:
    moment = random.Random(19)  # noqa: S311 - no secret
    write_wav(tmp_path / "calls" / "last.wav", duration_sec=ENDLESS_SEC)
    succeeded = 0
    with running(tmp_path, make_pool=lambda *_: Endless()) as runner:
        for number in range(JOBS):
            job = runner.wait(submitted(runner, f"out{number}"), until=lambda job: job.summary.total_files > 0)
            begun = partial(has_written, tmp_path / f"out{number}", moment.randrange(FILES // 2))
            wait_until(begun, within_sec=60)
            time.sleep(moment.uniform(0.0, 0.06))  # any moment of a file
            assert cancel_job(job, runner.records)
            done = settled(runner, job)
            assert done.state is JobState.CANCELED
            time.sleep(0.1)  # for a write that the cancel did not wait for
            assert_agrees(runner, runner.job(job.job_id), tmp_path / f"out{number}")
            succeeded += done.summary.succeeded
    assert succeeded > 0


VICTIM = """
import os, signal, sys, time
from pathlib import Path
import pytest
from batchscribe.storage.local.file_store import FileStore
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.output import Output
from tests.integration.flow_runner import running
from tests.integration.test_cancel_agrees import submitted
folder, after_write = Path(sys.argv[1]), sys.argv[2] == "after"
write, stored = FileStore.write, []
def write_and_die(store, uri, data, **options):
    if len(stored) == 3 and not after_write:
        os.kill(os.getpid(), signal.SIGKILL)
    write(store, uri, data, **options)
    stored.append(uri)
    if len(stored) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
pytest.MonkeyPatch().setattr(FileStore, "write", write_and_die)
with running(folder) as runner:
    job = submitted(runner, "out")
    (folder / "job_id").write_text(job.job_id)
    runner.wait(job)
"""


@pytest.mark.usefixtures("recordings")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_transcript_of_a_killed_writer_counts_exactly_if_it_is_there(tmp_path: Path, moment: str) -> None:
    victim = subprocess.run(
        [sys.executable, "-c", VICTIM, str(tmp_path), moment], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    records = open_records(load_settings(data_dir=tmp_path / "data"))
    with records.transaction() as connection:
        job = get_job(connection, (tmp_path / "job_id").read_text())
    assert cancel_job(job, records)
    with records.transaction() as connection:
        assert files_being_written(connection, job.number)
        assert has_secret(connection, job, INPUT)  # needed to look
        assert deliveries_of(connection, job.number) == []
    records.database.dispose()
    with running(tmp_path) as runner:
        assert_agrees(runner, settled(runner, job), tmp_path / "out")
