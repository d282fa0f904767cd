"""A worker that will be killed. It keeps a ledger outside the database of what it started and wrote.

Usage: python -m tests.integration.crash_victim FOLDER JOB_ID. Submits the job unless it is already stored, and
works until it has ended.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from batchscribe.database.job_rows import find_job
from batchscribe.jobs.model import File, Job, Outcome
from batchscribe.speech.inline import InlinePool
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.stages import shard
from batchscribe.stages.job_context import JobContext
from batchscribe.stages.transcribe_file import transcribe_file
from batchscribe.stages.write_transcript import BeginWrite
from batchscribe.storage.local.file_store import FileStore
from tests.integration.flow_runner import running

CALL_SEC = 0.1  #: seconds of each file in the engine
LEDGER = "ledger.txt"


def keep_ledger(folder: Path) -> None:
    """Record each start and each write in one line, with a single append that survives the death of the process."""
    ledger = os.open(folder / LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    write = FileStore.write

    def transcribe_on_record(file: File, job: Job, context: JobContext, begin_write: BeginWrite) -> Outcome:
        os.write(ledger, f"start {file.input_uri}\n".encode())
        if file.input_uri.endswith("poison.wav"):
            os.kill(os.getpid(), signal.SIGKILL)
        return transcribe_file(file, job, context, begin_write)

    def write_on_record(store: FileStore, uri: str, data: bytes, **options: Any) -> None:
        write(store, uri, data, **options)
        os.write(ledger, f"write {uri}\n".encode())

    monkeypatch = pytest.MonkeyPatch()  # permanently: this process has nothing else to do
    monkeypatch.setattr(shard, "transcribe_file", transcribe_on_record)
    monkeypatch.setattr(FileStore, "write", write_on_record)


def main(folder: Path, job_id: str) -> None:
    keep_ledger(folder)
    spec = ScriptedSpec(script=Script(call_sec=CALL_SEC))
    poisoned = (folder / "calls" / "poison.wav").exists()
    deaths = 3 if poisoned else 10  # killed at random, a file may be in flight each time
    with running(folder, make_pool=lambda _spec, workers: InlinePool(spec, workers), max_deaths=deaths) as runner:
        with runner.records.transaction() as connection:
            job = find_job(connection, job_id)
        print("working", flush=True)  # noqa: T201 - the test waits for this line
        runner.wait(job or runner.submit(job_id=job_id))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
