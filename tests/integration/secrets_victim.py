"""A process that searches its own memory for a job's secrets, because no other process sees its objects.

Usage: python -m tests.integration.secrets_victim FOLDER ORDER. Runs one job to its end and cancels another, then prints
as JSON where the texts of their keys are found: while the first job runs, and after both.

ORDER is a JSON file. `bucket` is a URI with recordings below `calls/`. `credentials` have the form that the database
seals, with PLACEHOLDER for the searched text. `settings` are those of the worker.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from batchscribe.jobs.model import Job
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.speech.inline import InlinePool
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.stages.finish import cancel_job
from batchscribe.storage.access import Credentials
from batchscribe.storage.schemes import unseal_form
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.output import Output
from tests.integration.flow_runner import FlowRunner, running

PARTS = ("MARK", "ED")  #: joined on use, so that this file's own constants are not found
PLACEHOLDER = "%MARK%"
SETTLED_SEC = 60.0


def marker() -> str:
    return "".join(PARTS)


def keys(order: dict[str, Any]) -> Credentials:
    return unseal_form(json.loads(json.dumps(order["credentials"]).replace(PLACEHOLDER, marker())))


def found() -> list[str]:
    """Return the types of the objects with a text that contains the marker. There is no garbage collection before."""
    gc.disable()
    holders = []
    for item in gc.get_objects():
        if isinstance(item, FrameType) and item.f_code.co_filename == __file__:
            continue
        if any(_is_marked(part) for part in gc.get_referents(item)):
            holders.append(f"{type(item).__module__}.{type(item).__name__}")
    gc.enable()
    return sorted(holders)


def _is_marked(item: Any) -> bool:
    if isinstance(item, str):
        return marker() in item
    return isinstance(item, bytes | bytearray) and marker().encode() in item


def submitted(runner: FlowRunner, order: dict[str, Any], name: str) -> Job:
    source = Source(SourceKind.PREFIX, f"{order['bucket']}/calls/")
    output = Output(uri=f"{order['bucket']}/{name}/", layout=OutputLayout.PREFIX)
    return runner.submit(sources=(source,), output=output, input_credentials=keys(order))


def main(folder: Path, file: Path) -> None:
    order = json.loads(file.read_text())
    slow = ScriptedSpec(script=Script(call_sec=0.1))
    with running(
        folder,
        make_pool=lambda _spec, processes: InlinePool(slow, processes),
        engine_processes=1,
        **order["settings"],
    ) as runner:
        job = runner.wait(submitted(runner, order, "out1"), until=lambda job: job.summary.succeeded > 0)
        during = found()
        done = runner.wait(job)
        canceled = runner.wait(submitted(runner, order, "out2"), until=lambda job: job.summary.succeeded > 0)
        cancel_job(canceled, runner.records)
        del job, canceled
        deadline = time.monotonic() + SETTLED_SEC
        while (after := found()) and time.monotonic() < deadline:
            time.sleep(0.2)
    print(json.dumps({"state": done.state, "during": during, "after": after}))  # noqa: T201 - for the test


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
