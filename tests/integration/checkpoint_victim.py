"""A worker that will be killed in the middle of a long recording. It keeps a ledger of the windows it recognized.

Usage: python -m tests.integration.checkpoint_victim FOLDER JOB_ID CALL_SEC WINDOWS. Submits the job unless it is
already stored, and works until it has ended, or until its engines have recognized that many windows: then they pause,
so that the job cannot end before the kill.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from batchscribe.database.job_rows import find_job
from batchscribe.speech.engine import Engine, RecognitionRequest
from batchscribe.speech.scripted import Script, ScriptedEngine, ScriptedSpec
from batchscribe.window import Recognition
from tests.integration.flow_runner import running
from tests.integration.pausing_pool import PausingPool

LEDGER = "ledger.txt"
MAX_DEATHS = 2  #: of workers during one file, unless each attempt makes progress


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSpec(ScriptedSpec):
    """A scripted engine that writes the start of each window, in seconds, to the ledger when it is done."""

    folder: Path

    def build(self) -> Engine:
        return RecordingEngine(self.script, self.folder)


class RecordingEngine(ScriptedEngine):
    def __init__(self, script: Script, folder: Path) -> None:
        super().__init__(script)
        self._ledger = os.open(folder / LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def transcribe(self, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        recognitions = super().transcribe(requests)
        for request in requests:
            os.write(self._ledger, f"{request.window.start_sec}\n".encode())
        return recognitions


def main(folder: Path, job_id: str, call_sec: float, windows: int) -> None:
    spec = RecordingSpec(folder=folder, script=Script(call_sec=call_sec))
    with running(folder, make_pool=lambda *_: PausingPool(windows, spec=spec), max_deaths=MAX_DEATHS) as runner:
        with runner.records.transaction() as connection:
            job = find_job(connection, job_id)
        print("working", flush=True)  # noqa: T201 - the test waits for this line
        runner.wait(job or runner.submit(job_id=job_id))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
