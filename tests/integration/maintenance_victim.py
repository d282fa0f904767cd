"""A worker that will be killed while it requeues the files of a job or purges it, in steps of one file.

Usage: python -m tests.integration.maintenance_victim FOLDER JOB_ID. Works until the job has ended again, or is gone.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from batchscribe.database.job_rows import find_job
from batchscribe.database.purge_rows import is_hidden
from batchscribe.stages import purge, retry
from tests.integration.flow_runner import FlowRunner, running


def is_over(runner: FlowRunner, job_id: str) -> bool:
    with runner.records.transaction() as connection:
        job = find_job(connection, job_id)
        return job is None or (job.is_final and not is_hidden(connection, job.number))


def main(folder: Path, job_id: str) -> None:
    monkeypatch = pytest.MonkeyPatch()  # permanently: this process has nothing else to do
    monkeypatch.setattr(retry, "PAGE_FILES", 1)
    monkeypatch.setattr(purge, "STEP_ROWS", 1)
    with running(folder) as runner:
        print("working", flush=True)  # noqa: T201 - the test waits for this line
        while not is_over(runner, job_id):
            time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
