"""A real worker with simulated work: `LEDGER sleep|burn SECONDS`, then the options of a worker."""

from __future__ import annotations

import os
import sys
import time

import pytest

from batchscribe.cli.app import main
from batchscribe.jobs.model import File, Job, Outcome, WrittenTranscript
from batchscribe.speech.scripted import use_cpu
from batchscribe.stages import shard
from batchscribe.stages.job_context import JobContext
from batchscribe.stages.write_transcript import BeginWrite

COSTS = {"sleep": time.sleep, "burn": use_cpu}


def put_stub(ledger_path: str, cost: str, seconds: float) -> None:
    ledger = os.open(ledger_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def transcribe_file(file: File, job: Job, _rooms: JobContext, begin_write: BeginWrite) -> Outcome:
        os.write(ledger, f"{time.time()} {job.job_id} {file.file_id} {os.getpid()}\n".encode())
        COSTS[cost](seconds)
        begin_write(file, WrittenTranscript(1.0, (), ("",)))
        return Outcome.succeeded(duration_sec=1.0)

    pytest.MonkeyPatch().setattr(shard, "transcribe_file", transcribe_file)  # permanently


if __name__ == "__main__":
    put_stub(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    sys.argv[1:] = ["worker", *sys.argv[4:]]
    main()
