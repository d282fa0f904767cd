"""A process that searches its own memory for a job's secrets, because no other process sees its objects.

Usage: python -m tests.integration.secrets_victim FOLDER ENDPOINT BUCKET. Runs one job to its end and cancels another,
then prints as JSON where the texts of their keys are found: while the first job runs, and after both.
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
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.output import Output
from tests.integration.flow_runner import FlowRunner, running

PARTS = ("MARK", "ED")  #: joined on use, so that this file's own constants are not found
SETTLED_SEC = 15.0


def marker() -> str:
    return "".join(PARTS)


def keys() -> AwsCredentials:
    return AwsCredentials(f"AKIA{marker()}", f"secret-{marker()}", session_token=f"token-{marker()}")


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


def submitted(runner: FlowRunner, bucket: str, name: str) -> Job:
    source = Source(SourceKind.PREFIX, f"s3://{bucket}/calls/")
    output = Output(uri=f"s3://{bucket}/{name}/", layout=OutputLayout.PREFIX)
    return runner.submit(sources=(source,), output=output, input_credentials=keys())


def main(folder: Path, endpoint: str, bucket: str) -> None:
    slow = ScriptedSpec(script=Script(call_sec=0.1))
    with running(
        folder,
        make_pool=lambda _spec, processes: InlinePool(slow, processes),
        s3_endpoint=endpoint,
        s3_allow_http=True,
        engine_processes=1,
    ) as runner:
        job = runner.wait(submitted(runner, bucket, "out1"), until=lambda job: job.summary.succeeded > 0)
        during = found()
        done = runner.wait(job)
        canceled = runner.wait(submitted(runner, bucket, "out2"), until=lambda job: job.summary.succeeded > 0)
        cancel_job(canceled, runner.records)
        del job, canceled
        deadline = time.monotonic() + SETTLED_SEC
        while (after := found()) and time.monotonic() < deadline:
            time.sleep(0.2)
    print(json.dumps({"state": done.state, "during": during, "after": after}))  # noqa: T201 - for the test


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
